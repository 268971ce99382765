import type { Finding } from "../base/finding.ts";
import { documentId, type TunnelDocument } from "../policy/document.ts";
import { formatPath, type Path } from "../policy/path.ts";
import type { PskReference } from "../policy/tunnel-text.ts";
import { secretFile, secretOfTunnel, type SecretVersion } from "../secret/secret-file.ts";
import { composeFinding } from "./findings.ts";
import { managedServers } from "./tunnel-ends.ts";

/** From a document's reference to the name of the key's file on a server; a key of the store is never more than its name here. */

/** A key that a tunnel names, and where in its text. */
export interface NamedKey {
  /** Null: the key of both ends. */
  readonly person: string | null;
  readonly psk: PskReference;
  readonly path: Path;
}

/** One for both ends, or one for each person who may come in. */
export function namedKeys({ body }: TunnelDocument): readonly NamedKey[] {
  if (body.psk.from !== "each") return [{ person: null, psk: body.psk, path: ["auth", "psk"] }];
  return body.ends.flatMap((end) =>
    end.kind === "people"
      ? end.people.flatMap(({ name, psk }): readonly NamedKey[] =>
          psk === null ? [] : [{ person: name, psk, path: ["ends", end.name, "people", name, "psk"] }],
        )
      : [],
  );
}

type Named = Pick<SecretVersion, "name" | "version">;

/** The secret that a key is, if it comes from the store. */
export function secretOf(tunnel: string, psk: PskReference): Named | null {
  switch (psk.from) {
    case "file":
    case "each":
      return null;
    case "generated":
      return { name: secretOfTunnel(tunnel), version: psk.version };
    case "secret":
      return { name: psk.name, version: psk.version };
  }
}

export function secretsOf(tunnel: TunnelDocument): readonly Named[] {
  return namedKeys(tunnel).flatMap(({ psk }) => secretOf(tunnel.name, psk) ?? []);
}

/** What a generated key is bound to: with another server at an end it would be shared with one that has left. */
export function boundTo(tunnel: TunnelDocument): string {
  return managedServers(tunnel).toSorted().join(" ");
}

export interface TunnelKey {
  readonly person: string | null;
  readonly keyFile: string;
  readonly findings: readonly Finding[];
}

export function tunnelKeys(tunnel: TunnelDocument, secrets: readonly SecretVersion[]): readonly TunnelKey[] {
  return namedKeys(tunnel).map((named) => ({ person: named.person, ...keyFileOf(tunnel, named, secrets) }));
}

function keyFileOf(
  tunnel: TunnelDocument,
  { psk, path }: NamedKey,
  secrets: readonly SecretVersion[],
): Omit<TunnelKey, "person"> {
  if (psk.from === "file") return { keyFile: psk.name, findings: [] };
  const wanted = secretOf(tunnel.name, psk);
  const own = secrets.filter(({ name }) => name === wanted?.name);
  const found = own.find(({ version }) => version === wanted?.version);
  const at = { document: documentId(tunnel), path: formatPath(path) };
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
