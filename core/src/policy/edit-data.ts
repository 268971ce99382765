import type { Json } from "../base/canonical-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { formatPath, type Path } from "./path.ts";

/** One change to the data of a document. */
export type Edit =
  /** Sets the value at a path; maps on the way that are not there are made. */
  | { readonly kind: "set"; readonly path: Path; readonly value: Json }
  /** Puts an item into a list, before the item that has the index; the length of the list is its end. */
  | { readonly kind: "insert"; readonly path: Path; readonly index: number; readonly value: Json }
  /** Takes out a key or an item. The last item of a list leaves `[]`: ours and empty. */
  | { readonly kind: "remove"; readonly path: Path }
  /** Moves an item of a list, with the comment lines directly above it. */
  | { readonly kind: "move"; readonly path: Path; readonly from: number; readonly to: number };

/** The same edit on plain data: what the text must say afterwards. */
export function editData(data: Json, edit: Edit): Result<Json, string> {
  switch (edit.kind) {
    case "set":
      return change(data, edit.path, edit.path, () => ok(edit.value));
    case "remove": {
      const last = edit.path.at(-1);
      if (last === undefined) return err("a whole document is not removed by an edit");
      return change(data, edit.path.slice(0, -1), edit.path, (holder) => {
        if (isList(holder) && typeof last === "number" && last < holder.length)
          return ok(holder.filter((_, index) => index !== last));
        if (isRecord(holder) && typeof last === "string" && holder[last] !== undefined)
          return ok(Object.fromEntries(Object.entries(holder).filter(([key]) => key !== last)));
        return err(`there is nothing at ${formatPath(edit.path)}`);
      });
    }
    case "insert":
      return change(data, edit.path, edit.path, (list) =>
        isList(list) && edit.index >= 0 && edit.index <= list.length
          ? ok(list.toSpliced(edit.index, 0, edit.value))
          : err(`${formatPath(edit.path)} is no list with a place ${edit.index}`),
      );
    case "move":
      return change(data, edit.path, edit.path, (list) => {
        const item = isList(list) ? list[edit.from] : undefined;
        if (!isList(list) || item === undefined || edit.to < 0 || edit.to >= list.length)
          return err(`${formatPath(edit.path)} is no list with the places ${edit.from} and ${edit.to}`);
        return ok(list.toSpliced(edit.from, 1).toSpliced(edit.to, 0, item));
      });
  }
}

function change(
  data: Json | undefined,
  rest: Path,
  whole: Path,
  apply: (value: Json | undefined) => Result<Json, string>,
): Result<Json, string> {
  const [part, ...inner] = rest;
  if (part === undefined) return apply(data);
  if (typeof part === "number") {
    if (data === undefined || !isList(data) || part >= data.length)
      return err(`there is nothing at ${formatPath(whole)}`);
    const item = change(data[part], inner, whole, apply);
    return item.ok ? ok(data.with(part, item.value)) : item;
  }
  if (data !== undefined && !isRecord(data)) return err(`there is no map around ${formatPath(whole)}`);
  const value = change(data?.[part], inner, whole, apply);
  return value.ok ? ok({ ...data, [part]: value.value }) : value;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
