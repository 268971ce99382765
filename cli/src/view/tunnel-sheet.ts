import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { type TunnelSheet, tunnelSheetText } from "@holdfast/core/policy/tunnel-sheet.ts";
import { plain } from "./style.ts";

/** A sheet, as a terminal may show it. */
export function tunnelSheet(
  tunnel: TunnelDocument,
  { end, reader, rows }: TunnelSheet,
  authorities: readonly string[],
): string {
  const sheet = {
    end: plain(end),
    reader: plain(reader),
    rows: rows.map(([name, value]) => [name, plain(value)] as const),
  };
  // A line break is part of PEM.
  const parts = authorities.map((pem) => pem.split("\n").map(plain).join("\n"));
  return tunnelSheetText(plain(tunnel.name), sheet, parts);
}
