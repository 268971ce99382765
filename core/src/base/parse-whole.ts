import type { z } from "zod";

export type ParsedWhole<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: {
        readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
      };
    };

/**
 * Parses, and loses nothing on the way: zod's records leave a key `__proto__` out without a word, so that what came from outside would be neither
 * kept nor refused.
 */
export function parseWhole<T>(schema: z.ZodType<T>, value: unknown): ParsedWhole<T> {
  const hidden = protoKeyPath(value);
  if (hidden !== null)
    return { success: false, error: { issues: [{ path: hidden, message: "__proto__ is no name" }] } };
  return schema.safeParse(value);
}

/** Where the first such key stands; null: nowhere. */
function protoKeyPath(value: unknown): readonly (string | number)[] | null {
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value)) return firstOf(value.map((item, index) => [index, item]));
  if (Object.hasOwn(value, "__proto__")) return ["__proto__"];
  return firstOf(Object.entries(value));
}

function firstOf(parts: readonly (readonly [string | number, unknown])[]): readonly (string | number)[] | null {
  for (const [key, part] of parts) {
    const inside = protoKeyPath(part);
    if (inside !== null) return [key, ...inside];
  }
  return null;
}
