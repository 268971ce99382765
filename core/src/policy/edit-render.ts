import type { Json } from "../base/canonical-json.ts";
import { parameterName } from "./parameter.ts";
import { trapOf } from "./yaml-trap.ts";

/** Unquoted in any place: no indicator, no space, nothing that is a number, a truth value or a date to some reader. */
const PLAIN = /^[A-Za-z0-9./$][A-Za-z0-9._/@+$-]*(?::[A-Za-z0-9._/-]+)*$/;
const RESOLVES = /^(?:[-+]?[0-9.]+|0x[0-9a-fA-F]+|true|True|TRUE|false|False|FALSE|null|Null|NULL|~)$/;

/** A value on one line, as it may stand in a list of the form `[a, b]` and anywhere else. */
export function renderFlow(value: Json): string {
  if (typeof value === "string") return renderText(value);
  if (value === null) throw new Error("no document of the language holds null");
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map(renderFlow).join(", ")}]`;
  const entries = entriesOf(value);
  return entries.length === 0
    ? "{}"
    : `{ ${entries.map(([key, inner]) => `${renderText(key)}: ${renderFlow(inner)}`).join(", ")} }`;
}

/**
 * A value over several lines, each with `indent` spaces. The first line comes without them: it stands after `- ` or `key:`.
 * Lists of plain values and empty collections stay on one line.
 */
export function renderBlock(
  value: Json,
  indent: number,
  eol: string,
): { readonly inline: boolean; readonly text: string } {
  if (typeof value !== "object" || value === null || isInline(value)) return { inline: true, text: renderFlow(value) };
  const pad = " ".repeat(indent);
  if (isList(value)) {
    return { inline: false, text: value.map((item) => `- ${renderBlock(item, indent + 2, eol).text}`).join(eol + pad) };
  }
  return {
    inline: false,
    text: entriesOf(value)
      .map(([key, inner]) => renderPair(key, inner, indent, eol))
      .join(eol + pad),
  };
}

/** `key: value`, with a block value on the lines below, two spaces further in. */
export function renderPair(key: string, value: Json, indent: number, eol: string): string {
  const rendered = renderBlock(value, indent + 2, eol);
  return rendered.inline
    ? `${renderText(key)}: ${rendered.text}`
    : `${renderText(key)}:${eol}${" ".repeat(indent + 2)}${rendered.text}`;
}

function isInline(value: readonly Json[] | { readonly [key: string]: Json | undefined }): boolean {
  if (isList(value)) return value.every((item) => typeof item !== "object" || item === null);
  return entriesOf(value).length === 0;
}

function renderText(text: string): string {
  const plain =
    PLAIN.test(text) &&
    !RESOLVES.test(text) &&
    trapOf(text) === null &&
    (!text.startsWith("$") || parameterName(text) !== null);
  // JSON's escapes are YAML's. What YAML 1.1 takes for a line break is escaped too.
  return plain
    ? text
    : JSON.stringify(text).replace(
        /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
        (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
}

function entriesOf(value: { readonly [key: string]: Json | undefined }): readonly (readonly [string, Json])[] {
  return Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, inner] as const]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
