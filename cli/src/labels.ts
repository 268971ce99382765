import { parseItemName, parseLabelValue } from "@holdfast/core/policy/name.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** `role=web`, `site=seoul`. One that no server can have, or that is said twice, would match nothing, or less than was meant. */
export function readLabels(flag: "--on" | "--label", words: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    const [key, value] = [word.slice(0, Math.max(at, 0)), word.slice(at + 1)];
    const wrong = [parseItemName(key), parseLabelValue(value)].find((parsed) => !parsed.ok);
    if (at < 1 || (wrong !== undefined && !wrong.ok))
      throw notALabel(
        `${flag} ${word} is no label${at < 1 || wrong === undefined || wrong.ok ? "" : `: ${wrong.error}`}.`,
        flag,
      );
    if (labels.has(key)) throw notALabel(`${flag} ${word}: ${key} is said twice, and a server has one.`, flag);
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}

function notALabel(message: string, flag: "--on" | "--label"): CliError {
  return new CliError(
    EXIT.usage,
    "cli.not_a_label",
    message,
    `Write ${flag} key=value${flag === "--on" ? ", or --on server=NAME" : ""}.`,
  );
}
