import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { tunnelSheetOf } from "@holdfast/core/policy/tunnel-sheet.ts";
import { plain } from "./style.ts";

/** The sheet for the administrator of the other end, as a text that can be sent. */
export function tunnelSheet(tunnel: TunnelDocument): string {
  const { end, rows } = tunnelSheetOf(tunnel.body);
  const widest = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(widest)}  ${plain(value)}`);
  return `Tunnel ${plain(tunnel.name)}: parameters for the administrator of ${plain(end)}\n\n${lines.join("\n")}\n`;
}
