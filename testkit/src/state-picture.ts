import { readFileSync, writeFileSync } from "node:fs";
import { APPLY_STATES, TRANSITIONS } from "@holdfast/core/apply/state.ts";

const BLOCK = /(```mermaid\nstateDiagram-v2\n)[^`]*(```)/;

/** The transitions as a Mermaid picture, in the order of the table. */
export function statePicture(): string {
  const arrows = APPLY_STATES.flatMap((from) => TRANSITIONS[from].map(({ to }) => `  ${from} --> ${to}\n`));
  return `  [*] --> ${APPLY_STATES[0]}\n${arrows.join("")}`;
}

/** The document with its picture made anew. */
export function withPicture(document: string): string {
  if (!BLOCK.test(document)) throw new Error("the document has no stateDiagram-v2 block to fill");
  return document.replace(BLOCK, (_, open: string, close: string) => `${open}${statePicture()}${close}`);
}

if (import.meta.main) {
  const file = new URL("../../ARCHITECTURE.md", import.meta.url);
  writeFileSync(file, withPicture(readFileSync(file, "utf8")));
}
