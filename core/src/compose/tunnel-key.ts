import type { Finding } from "../base/finding.ts";
import { documentId, type TunnelDocument } from "../policy/document.ts";
import { secretFile, secretOfTunnel, type SecretVersion } from "../secret/secret-file.ts";
import { composeFinding } from "./findings.ts";
import { managedServers } from "./tunnel-ends.ts";

/** From a document's reference to the name of the key's file on a server; a key of the store is never more than its name here. */

/** The secret that a tunnel names, if its key comes from the store. */
export function secretOf({ name, body: { psk } }: TunnelDocument): Pick<SecretVersion, "name" | "version"> | null {
  switch (psk.from) {
    case "file":
      return null;
    case "generated":
      return { name: secretOfTunnel(name), version: psk.version };
    case "secret":
      return { name: psk.name, version: psk.version };
  }
}

/** What a generated key is bound to: with another server at an end it would be shared with one that has left. */
export function boundTo(tunnel: TunnelDocument): string {
  return managedServers(tunnel).toSorted().join(" ");
}

export interface TunnelKey {
  readonly keyFile: string;
  readonly findings: readonly Finding[];
}

export function tunnelKey(tunnel: TunnelDocument, secrets: readonly SecretVersion[]): TunnelKey {
  const { psk } = tunnel.body;
  if (psk.from === "file") return { keyFile: psk.name, findings: [] };
  const wanted = secretOf(tunnel);
  const own = secrets.filter(({ name }) => name === wanted?.name);
  const found = own.find(({ version }) => version === wanted?.version);
  const at = { document: documentId(tunnel), path: "auth.psk" };
  if (wanted === null || found === undefined) {
    const message =
      own.length === 0
        ? `The store has no secret called ${wanted?.name ?? ""}.`
        : `The store has no version ${wanted?.version ?? 0} of ${wanted?.name ?? ""}; there are ${own.map(({ version }) => version).join(", ")}.`;
    return { keyFile: "", findings: [composeFinding("compose.unknown_secret", message, at)] };
  }
  const keyFile = secretFile(found);
  if (psk.from === "generated" && found.boundTo !== boundTo(tunnel)) {
    const message = `Version ${found.version} of this key was made for ${found.boundTo.replace(" ", " and ")}, and another server would share it now.`;
    return { keyFile, findings: [composeFinding("compose.key_of_other_ends", message, at)] };
  }
  const newest = Math.max(...own.map(({ version }) => version));
  if (psk.from === "secret" && newest > found.version) {
    const message = `This is version ${found.version} of ${found.name}; the store has ${newest}.`;
    return { keyFile, findings: [composeFinding("compose.secret_outdated", message, at)] };
  }
  return { keyFile, findings: [] };
}
