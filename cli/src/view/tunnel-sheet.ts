import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { tunnelSheetOf, tunnelSheetText } from "@holdfast/core/policy/tunnel-sheet.ts";
import { plain } from "./style.ts";

/** The sheet for the administrator of the other end, as a terminal may show it. */
export function tunnelSheet(tunnel: TunnelDocument): string {
  const { end, rows } = tunnelSheetOf(tunnel.body);
  return tunnelSheetText(plain(tunnel.name), {
    end: plain(end),
    rows: rows.map(([name, value]) => [name, plain(value)]),
  });
}
