/** Views of the table of servers that a person comes back to: a name, and the part of the address that says filter, state and order. */
export interface SavedView {
  readonly name: string;
  /** As in the address, without the question mark. */
  readonly search: string;
}

/** More would be a list to search in. */
export const VIEWS_MOST = 30;
export const NAME_MOST = 60;
/** What a view is made of; anything else in the address is of the moment. */
const KEPT = ["q", "show", "sort"] as const;

/** Of this address; empty for the whole table in its usual order. */
export function viewOf(search: string): string {
  const now = new URLSearchParams(search);
  const kept = new URLSearchParams();
  for (const key of KEPT) {
    const value = now.get(key) ?? "";
    if (value !== "") kept.set(key, value);
  }
  return kept.toString();
}

/** What a browser kept; whatever is not a view is left out, for others may have written there. */
export function parseViews(text: string | null): readonly SavedView[] {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(value) ? value.filter(isView).slice(0, VIEWS_MOST) : [];
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== "object" || value === null) return false;
  const { name, search } = value as Partial<Record<keyof SavedView, unknown>>;
  return typeof name === "string" && name !== "" && typeof search === "string" && viewOf(search) === search;
}

/** By its name: saved under one that is there, it takes its place. */
export function withView(views: readonly SavedView[], view: SavedView): readonly SavedView[] {
  return [...views.filter(({ name }) => name !== view.name), view]
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .slice(0, VIEWS_MOST);
}

export function withoutView(views: readonly SavedView[], name: string): readonly SavedView[] {
  return views.filter((view) => view.name !== name);
}
