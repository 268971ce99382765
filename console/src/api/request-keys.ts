import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

/** One key for each content: the same request, sent again after a lost answer, is done once; another one is never taken for it. */
export function requestKeys(make: () => string): (content: Json) => string {
  const made = new Map<string, string>();
  return (content) => {
    const text = canonicalJson(content);
    const key = made.get(text) ?? make();
    made.set(text, key);
    return key;
  };
}
