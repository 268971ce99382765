import type { Context } from "../context.ts";
import { painter, plain } from "./style.ts";

/** A unified diff with colours; the signs stay, so it reads the same without them. */
export function paintDiff(context: Context, diff: string): string {
  const paint = painter(context);
  return diff
    .split("\n")
    .map(plain)
    .map((line) => {
      if (line.startsWith("+++") || line.startsWith("---")) return paint("bold", line);
      if (line.startsWith("@@")) return paint("cyan", line);
      if (line.startsWith("+")) return paint("green", line);
      if (line.startsWith("-")) return paint("red", line);
      return line;
    })
    .join("\n");
}
