import { refuse } from "./refused.ts";

/** Opaque to clients: the key of the last item of the page before. */
export function cursorOf(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

/** The key in a cursor, or null without one. `isKey` keeps what a client made up away from the database. */
export function keyOf(cursor: string | undefined, isKey: (key: string) => boolean): string | null {
  if (cursor === undefined) return null;
  const key = Buffer.from(cursor, "base64url").toString("utf8");
  if (!isKey(key)) refuse("request.cursor_invalid", "This cursor was not given by the same list.");
  return key;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** Cuts what was read (one more than a page) to a page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOfRow: (row: Row) => string,
  item: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    nextCursor: rows.length > limit && last !== undefined ? cursorOf(keyOfRow(last)) : null,
  };
}

/** A page of a list that is in memory, sorted by its key. */
export function pageAfter<Row>(
  rows: readonly Row[],
  after: string | null,
  limit: number,
  keyOfRow: (row: Row) => string,
): readonly Row[] {
  const from = after === null ? 0 : rows.findIndex((row) => keyOfRow(row) > after);
  return from === -1 ? [] : rows.slice(from, from + limit + 1);
}
