/** Reading JSON that other programs print: nothing in it is believed before it was looked at. */

export type Fields = Readonly<Record<string, unknown>>;

/** `ip` prints nothing at all where it has nothing to say. Undefined: it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "[]" : text) as unknown;
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
