import type { Json } from "../base/canonical-json.ts";
import { parameterName, type ParameterValue } from "./parameter.ts";
import { formatPath, type Path } from "./path.ts";

export interface Substituted {
  readonly data: Json;
  /** Every `$name` found, with its place in the text as written. */
  readonly uses: readonly { readonly name: string; readonly path: Path }[];
  /** Texts that begin with `$` and name nothing that could be a parameter. */
  readonly malformed: readonly { readonly text: string; readonly path: Path }[];
  /** From a place in `data` to the place in the text: a list put into a list moves what follows it. */
  readonly sourceOf: (path: Path) => Path;
}

/** Keys whose value is prose, in which a `$` is a `$`. */
const PROSE = ["why", "description"];

/**
 * Puts whole values in for `$name`. A list put into a list becomes part of it. A name without a value stays as it is: that is the caller's
 * finding to make, from `uses`.
 */
export function substitute(source: Json, values: Readonly<Record<string, ParameterValue>>): Substituted {
  const uses: { name: string; path: Path }[] = [];
  const malformed: { text: string; path: Path }[] = [];
  /** By path of a list in the result: for each of its items, the index of the item it came from. */
  const moved = new Map<string, readonly number[]>();

  const walk = (value: Json, from: Path, to: Path): Json => {
    if (typeof value === "string") {
      if (!value.startsWith("$") || PROSE.includes(String(from.at(-1)))) return value;
      const name = parameterName(value);
      if (name === null) {
        malformed.push({ text: value, path: from });
        return value;
      }
      uses.push({ name, path: from });
      return Object.hasOwn(values, name) ? (values[name] ?? value) : value;
    }
    if (typeof value !== "object" || value === null) return value;
    if (isList(value)) {
      const items: Json[] = [];
      const indexes: number[] = [];
      for (const [index, item] of value.entries()) {
        const put = walk(item, [...from, index], [...to, items.length]);
        const spliced =
          parameterName(item) !== null && typeof put === "object" && put !== null && isList(put) ? put : [put];
        for (const one of spliced) {
          items.push(one);
          indexes.push(index);
        }
      }
      if (items.length !== value.length) moved.set(formatPath(to), indexes);
      return items;
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]) =>
        inner === undefined ? [] : [[key, walk(inner, [...from, key], [...to, key])]],
      ),
    );
  };

  const data = walk(source, [], []);
  const sourceOf = (path: Path): Path => {
    const back: (string | number)[] = [];
    for (const [depth, part] of path.entries()) {
      const indexes =
        typeof part === "number" && moved.size > 0 ? moved.get(formatPath(path.slice(0, depth))) : undefined;
      back.push(typeof part === "number" ? (indexes?.[part] ?? part) : part);
    }
    return back;
  };
  return { data, uses, malformed, sourceOf };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
