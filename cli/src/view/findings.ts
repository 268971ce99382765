import { byDanger, type Finding, type Severity } from "@holdfast/core/base/finding.ts";
import type { Context } from "../context.ts";
import { painter, plain } from "./style.ts";

const MARK = { error: "error", danger: "DANGER", warning: "warning", note: "note" } as const satisfies Record<
  Severity,
  string
>;
const COLOUR = { error: "red", danger: "redBright", warning: "yellow", note: "gray" } as const satisfies Record<
  Severity,
  string
>;

/** One finding: where, what, and what to do, most dangerous first. */
export function printFindings(context: Context, findings: readonly Finding[], file?: string): string {
  const paint = painter(context);
  return findings
    .toSorted(byDanger)
    .map((finding) => {
      const place = [file ?? finding.document, finding.line, finding.column]
        .filter((part) => part !== undefined)
        .join(":");
      const where = [place, finding.path].filter((part) => part !== "").join(" ");
      const head = `${paint([COLOUR[finding.severity], "bold"], MARK[finding.severity])} ${plain(finding.message)}`;
      const remedy = finding.remedy === "" ? "" : `\n        ${plain(finding.remedy)}`;
      return `  ${head}${remedy}\n        ${paint("gray", `${where === "" ? "" : `${where}  `}${finding.code}`)}\n`;
    })
    .join("");
}
