import { helpAt, keysAt, type Outline, outlinesAt } from "@holdfast/core/policy/schema-outline.ts";
import { placeAt } from "./yaml-place.ts";

export interface Offer {
  readonly label: string;
  readonly kind: "key" | "value";
  /** What to write in its place. */
  readonly insert: string;
  readonly help: string | null;
}

/** What the published schema allows where the cursor stands. */
export function offersAt(
  schema: Outline,
  text: string,
  offset: number,
): { readonly from: number; readonly offers: readonly Offer[] } {
  const { path, what, written } = placeAt(text, offset);
  const from = offset - written.length;
  if (what === "key") {
    const keys = keysAt(schema, path).map((key): Offer => ({
      label: key,
      kind: "key",
      insert: `${key}: `,
      help: helpAt(schema, [...path, key]).description,
    }));
    return { from, offers: [...keys, ...valuesAt(schema, path)] };
  }
  return { from, offers: [...valuesAt(schema, path), ...valuesAt(schema, [...path, 0])] };
}

function valuesAt(schema: Outline, path: readonly (string | number)[]): readonly Offer[] {
  const words = new Set<string>();
  for (const outline of outlinesAt(schema, path)) {
    const listed = outline["enum"];
    if (Array.isArray(listed)) for (const word of listed) if (typeof word === "string") words.add(word);
    if (typeof outline["const"] === "string") words.add(outline["const"]);
    if (outline["type"] === "boolean") for (const word of ["true", "false"]) words.add(word);
  }
  const { example } = helpAt(schema, path);
  const offers = [...words].map((word): Offer => ({ label: word, kind: "value", insert: word, help: null }));
  return words.size > 0 || example === null || example.startsWith("{")
    ? offers
    : [{ label: example, kind: "value", insert: example, help: null }];
}
