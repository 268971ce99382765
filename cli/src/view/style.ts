import { styleText } from "node:util";
import type { Context } from "../context.ts";

type Format = Parameters<typeof styleText>[0];

/** Colours only where a person looks; the words alone always carry the meaning. */
export function painter(context: Context): (format: Format, text: string) => string {
  return (format, text) => (context.colour ? styleText(format, text, { validateStream: false }) : text);
}

const ESCAPES = /\u001b\[[0-9;]*m/g;

/** Columns that a text takes on a terminal: escapes take none, wide East Asian letters two. */
export function width(text: string): number {
  let columns = 0;
  for (const letter of text.replace(ESCAPES, "")) columns += isWide(letter.codePointAt(0) ?? 0) ? 2 : 1;
  return columns;
}

function isWide(point: number): boolean {
  return (
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xff00 && point <= 0xff60)
  );
}

/** Text from outside must not move the cursor or paint: control characters become visible. */
export function plain(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
