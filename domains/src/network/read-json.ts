/** Reading JSON that other programs print: nothing in it is believed before it was looked at. */

export type Fields = Readonly<Record<string, unknown>>;

/** Null: it is no JSON. `ip` prints nothing at all where it has nothing to say. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "[]" : text) as unknown;
  } catch {
    return null;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

export function textIn(fields: Fields, key: string): string | null {
  const value = fields[key];
  return typeof value === "string" ? value : null;
}

export function textsIn(fields: Fields, key: string): readonly string[] {
  const value = fields[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Also where the number is written as a text, as `ip -N` does. */
export function numberIn(fields: Fields, key: string): number | null {
  const value = fields[key];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return typeof value === "string" && /^(0x[0-9a-f]+|[0-9]+)$/.test(value) ? Number(value) : null;
}

export function partOf(fields: Fields, key: string): Fields {
  const value = fields[key];
  return isFields(value) ? value : {};
}
