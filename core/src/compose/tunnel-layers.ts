import type { Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import type { DomainName } from "../domain.ts";
import type { Probe } from "../plan/probe.ts";
import { documentId, type ServerDocument, type TunnelDocument } from "../policy/document.ts";
import { formatPath } from "../policy/path.ts";
import { didYouMean } from "../policy/spelling.ts";
import { parseSecretFile, type SecretVersion } from "../secret/secret-file.ts";
import type { AssignedDocument } from "./compose.ts";
import type { Origin } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";
import type { LayeredSection } from "./layered-section.ts";
import { type TunnelHook, type TunnelSide, tunnelSide } from "./tunnel-ends.ts";
import { type TunnelKey, tunnelKeys } from "./tunnel-key.ts";

/** What the tunnels that end on a server bring to its composition. */

/** A tunnel that ends on this server, as this end has it. */
export interface PlacedSide {
  readonly assigned: AssignedDocument<TunnelDocument>;
  readonly side: TunnelSide;
  readonly keys: readonly TunnelKey[];
}

export function sidesOf(
  documents: readonly AssignedDocument[],
  server: ServerDocument,
  observedAddresses: readonly string[],
  secrets: readonly SecretVersion[],
): readonly PlacedSide[] {
  const own = new Set([...server.body.addresses, ...observedAddresses]);
  return documents.flatMap(({ document, revision }): PlacedSide[] => {
    if (document.kind !== "Tunnel") return [];
    const keys = tunnelKeys(document, server.name, secrets);
    const side = tunnelSide(document, server.name, own, new Map(keys.map((key) => [key.person, key])));
    return side === null ? [] : [{ assigned: { document, revision }, side, keys }];
  });
}

/** Files of the keys that come from the store: they go to the server with the config that names them. */
export function secretFilesOf(sides: readonly PlacedSide[]): readonly string[] {
  const files = sides
    .flatMap(({ keys }) => keys.map(({ keyFile }) => keyFile))
    .filter((file) => parseSecretFile(file).ok);
  return [...new Set(files)].toSorted();
}

/** The other end would wait for a server that does not exist. */
export function unknownEnds(sides: readonly PlacedSide[], servers: readonly string[]): readonly Finding[] {
  return sides.flatMap(({ assigned: { document } }) =>
    document.body.ends.flatMap((end) =>
      end.kind !== "managed" || servers.includes(end.server)
        ? []
        : [
            composeFinding(
              "compose.unknown_name",
              `No server is called ${end.server}${didYouMean(end.server, servers) || "."}`,
              { document: documentId(document), path: formatPath(["ends", end.name, "server"]) },
            ),
          ],
    ),
  );
}

/** Without a packet that must pass, an end is confirmed when it is loaded, whether or not the other end agrees. */
export function unprovenTunnels(sides: readonly PlacedSide[], probes: readonly Probe[]): readonly Finding[] {
  return sides.flatMap(({ assigned: { document } }) => {
    // People come later, or not at all: that nobody is there proves nothing.
    if (document.body.ends.some(({ kind }) => kind === "people")) return [];
    const id = documentId(document);
    const isProven = probes.some(
      ({ origin, mustHold, expected }) => origin.startsWith(`${id} `) && mustHold === true && expected === "open",
    );
    if (isProven) return [];
    const message =
      "Nothing that this server can try itself says that traffic passes, so this end is confirmed as soon as it is loaded.";
    return [composeFinding("compose.tunnel_unproven", message, { document: id, path: "expect" })];
  });
}

/** What tunnels bring to a domain. They add rules to the hooks that policies have made ours, and take over none themselves. */
export function tunnelLayers(
  domain: DomainName,
  written: readonly LayeredSection<Json>[],
  sides: readonly PlacedSide[],
): { readonly layers: readonly LayeredSection<Json>[]; readonly findings: readonly Finding[] } {
  switch (domain) {
    case "system":
    case "network":
      return { layers: [], findings: [] };
    case "vpn":
      return {
        layers: sides.map(({ assigned, side }) => ({ origin: tunnelOrigin(assigned, domain), section: side.vpn })),
        findings: [],
      };
    case "firewall": {
      const hooks = (["inbound", "forward", "outbound"] as const).filter((hook) =>
        written.some(({ section }) => hasKey(section, hook)),
      );
      const open = hooks.includes("forward") ? [] : sides;
      return {
        layers:
          hooks.length === 0
            ? []
            : sides.map(({ assigned, side }) => ({
                origin: tunnelOrigin(assigned, domain),
                section: Object.fromEntries(hooks.map((hook: TunnelHook) => [hook, side.firewall[hook]])),
              })),
        findings: open.map(({ assigned }) =>
          composeFinding(
            "compose.tunnel_traffic_open",
            "No policy of this server has a firewall with a forward section, so nothing holds the traffic of this tunnel to its rules here.",
            { document: documentId(assigned.document), path: "traffic" },
          ),
        ),
      };
    }
  }
}

function hasKey(section: Json, key: string): boolean {
  return typeof section === "object" && section !== null && Object.hasOwn(section, key);
}

/** A tunnel is of its two servers, as a policy of the layer `server` is of one. */
export function tunnelOrigin({ document, revision }: AssignedDocument<TunnelDocument>, path: string): Origin {
  return { document: documentId(document), revision, layer: "server", path };
}
