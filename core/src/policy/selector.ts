import { z } from "zod";
import { parseItemName } from "./name.ts";
import { labelValueText, oneOrList } from "./text-schema.ts";

/** The key in a selector that means the server's own name rather than a label. */
const SERVER_KEY = "server";

/** Every label must have one of the values. `all` is written out: nothing absent means everything. */
export type Selector =
  | { readonly all: true }
  | { readonly all: false; readonly labels: Readonly<Record<string, readonly string[]>> };

export interface Selectable {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export const selectorSchema = z
  .record(z.string(), z.union([z.literal(true), oneOrList(labelValueText)]))
  .superRefine((selector, context) => {
    const keys = Object.keys(selector);
    const refuse = (message: string, path: string[] = []): void => context.addIssue({ code: "custom", message, path });
    if (keys.length === 0)
      refuse("An empty selector is refused; write { all: true } for every server, or the labels that must match.");
    if (keys.includes("all") && keys.length > 1)
      refuse("all stands alone: with labels beside it nobody knows which is meant.");
    for (const key of keys) {
      const value = selector[key];
      if (key === "all" && value !== true) refuse("all is written { all: true } or not at all.", [key]);
      if (key !== "all" && value === true)
        refuse(`true is no value of the label ${key}; write the value in quotes, or { all: true } for every server.`, [
          key,
        ]);
      if (key !== "all" && !parseItemName(key).ok)
        refuse(`${JSON.stringify(key)} cannot be the name of a label.`, [key]);
      if (Array.isArray(value) && value.length === 0)
        refuse("An empty list matches no server; write the values, or take the label out.", [key]);
    }
  })
  .transform((selector): Selector => {
    if (selector["all"] === true) return { all: true };
    return {
      all: false,
      labels: Object.fromEntries(
        Object.entries(selector).flatMap(([key, value]) => (value === true ? [] : [[key, value]])),
      ),
    };
  })
  .meta({
    description:
      "Which servers: every label must match, one of a list is enough; server: is the server's own name; { all: true } is every server.",
    examples: [{ role: "web" }, { all: true }],
  });

export function selects(selector: Selector, server: Selectable): boolean {
  if (selector.all) return true;
  return Object.entries(selector.labels).every(([key, values]) => {
    const own = key === SERVER_KEY ? server.name : Object.hasOwn(server.labels, key) ? server.labels[key] : undefined;
    return own !== undefined && values.includes(own);
  });
}
