import { identityOf, initiatorOf } from "../compose/tunnel-ends.ts";
import { formatDuration } from "./duration.ts";
import type { TunnelBody, TunnelEnd } from "./tunnel-document.ts";
import { TUNNEL_SUITES } from "./tunnel-suite.ts";

export interface TunnelSheet {
  /** Name of the end for whose administrator it is. */
  readonly end: string;
  readonly rows: readonly (readonly [string, string])[];
}

/** What the administrator of the other end must set, in words that every vendor's manual has. The key is not among them. */
export function tunnelSheetOf({ ends, suite, ikeSeconds, childSeconds, deadSeconds }: TunnelBody): TunnelSheet {
  const theirs = ends.find((end) => end.kind === "external") ?? ends[1];
  const ours = ends.find((end) => end !== theirs) ?? ends[0];
  const { ike, child } = TUNNEL_SUITES[suite];
  return {
    end: theirs.name,
    rows: [
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
    ],
  };
}

/** As a text that can be sent. */
export function tunnelSheetText(tunnel: string, { end, rows }: TunnelSheet): string {
  const widest = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(widest)}  ${value}`);
  return `Tunnel ${tunnel}: parameters for the administrator of ${end}\n\n${lines.join("\n")}\n`;
}

function endRows(title: string, end: TunnelEnd): readonly (readonly [string, string])[] {
  return [
    [`${title}: address`, end.address ?? "not known beforehand"],
    [`${title}: identity`, identityOf(end)],
    [`${title}: networks`, end.networks.join(", ")],
  ];
}
