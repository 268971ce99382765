import { identityOf, initiatorOf } from "@holdfast/core/compose/tunnel-ends.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { formatDuration } from "@holdfast/core/policy/duration.ts";
import type { TunnelEnd } from "@holdfast/core/policy/tunnel-document.ts";
import { TUNNEL_SUITES } from "@holdfast/core/policy/tunnel-suite.ts";
import { plain } from "./style.ts";

/** What the administrator of the other end must set, in words that every vendor's manual has. The key is not among them. */
export function tunnelSheet(tunnel: TunnelDocument): string {
  const { ends, suite, ikeSeconds, childSeconds, deadSeconds } = tunnel.body;
  const theirs = ends.find((end) => end.kind === "external") ?? ends[1];
  const ours = ends.find((end) => end !== theirs) ?? ends[0];
  const { ike, child } = TUNNEL_SUITES[suite];
  const rows: readonly (readonly [string, string])[] = [
    ...endRows("your end", theirs),
    ...endRows("our end", ours),
    ["who begins", initiatorOf(ends) === theirs ? "your end" : "our end; your end answers"],
    ["version", "IKEv2 only"],
    ["authentication", "pre-shared key on both sides; it is handed over separately and never by mail"],
    ["IKE proposals", ike.join(" or ")],
    ["ESP proposals", `${child.join(" or ")}; tunnel mode, with perfect forward secrecy`],
    ["IKE lifetime", formatDuration(ikeSeconds)],
    ["ESP lifetime", formatDuration(childSeconds)],
    ["dead peer detection", `every ${formatDuration(deadSeconds)}`],
    ["to let through", "UDP 500, UDP 4500 and ESP (protocol 50) between the two addresses"],
  ];
  const widest = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(widest)}  ${plain(value)}`);
  return `Tunnel ${plain(tunnel.name)}: parameters for the administrator of ${plain(theirs.name)}\n\n${lines.join("\n")}\n`;
}

function endRows(title: string, end: TunnelEnd): readonly (readonly [string, string])[] {
  return [
    [`${title}: address`, end.address ?? "not known beforehand"],
    [`${title}: identity`, identityOf(end)],
    [`${title}: networks`, end.networks.join(", ")],
  ];
}
