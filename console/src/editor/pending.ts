import { useSyncExternalStore } from "react";

/**
 * The change that is being written: edits of several documents, across screens, kept in the browser until they are reviewed.
 *   N1. Every keystroke is kept at once: no error, lost connection, reload or end of session loses one. Where the browser cannot keep
 *       it (it is too long), the page says so.
 *   N2. An edit that came back to the text it began from is no edit.
 *   N3. It belongs to one person in one browser; two windows see the same.
 */
export interface PendingEdit {
  readonly kind: string;
  readonly name: string;
  /** Null: the document is to be deleted. */
  readonly text: string | null;
  /** The head that the author saw; 0 for a new document. */
  readonly baseRevision: number;
  readonly baseText: string | null;
}

export interface Pending {
  readonly title: string;
  readonly reason: string;
  readonly edits: readonly PendingEdit[];
  /** The draft on the control plane that holds the same, once it was sent for review. */
  readonly changeId: string | null;
}

export const NOTHING_PENDING: Pending = { title: "", reason: "", edits: [], changeId: null };

export function sameDocument(a: { kind: string; name: string }, b: { kind: string; name: string }): boolean {
  return a.kind === b.kind && a.name === b.name;
}

export function withEdit(pending: Pending, edit: PendingEdit): Pending {
  const others = pending.edits.filter((other) => !sameDocument(other, edit));
  const isNothing = edit.text === edit.baseText;
  const at = pending.edits.findIndex((other) => sameDocument(other, edit));
  if (isNothing) return { ...pending, edits: others };
  return { ...pending, edits: at < 0 ? [...others, edit] : pending.edits.with(at, edit) };
}

export function withoutEdit(pending: Pending, document: { kind: string; name: string }): Pending {
  return { ...pending, edits: pending.edits.filter((edit) => !sameDocument(edit, document)) };
}

interface Draft {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
  readonly content: readonly PendingEdit[];
}

/** Goes on with a draft of the control plane. What was written of that very draft since it was sent stays as it is. */
export function withChange(pending: Pending, { id, title, reason, content }: Draft): Pending {
  if (pending.changeId === id && pending.edits.length > 0) return pending;
  return content.reduce<Pending>(
    (draft, item) =>
      withEdit(draft, {
        kind: item.kind,
        name: item.name,
        text: item.text,
        baseRevision: item.baseRevision,
        baseText: item.baseText,
      }),
    { title, reason, edits: [], changeId: id },
  );
}

/** A change has begun: what it holds is pending no more. What was written since it was sent is, for a change of its own. */
export function withoutBegun(pending: Pending, { id, content }: Pick<Draft, "id" | "content">): Pending {
  if (pending.changeId !== id) return pending;
  const edits = pending.edits.filter(
    (edit) => !content.some((item) => sameDocument(item, edit) && item.text === edit.text),
  );
  return { ...NOTHING_PENDING, edits };
}

/** What the browser kept, if it is still understood. */
export function parsePending(text: string | null): Pending {
  if (text === null) return NOTHING_PENDING;
  try {
    const value: unknown = JSON.parse(text);
    return isPending(value) ? value : NOTHING_PENDING;
  } catch {
    return NOTHING_PENDING;
  }
}

function isPending(value: unknown): value is Pending {
  if (typeof value !== "object" || value === null) return false;
  const { title, reason, edits, changeId } = value as Partial<Record<keyof Pending, unknown>>;
  return (
    typeof title === "string" &&
    typeof reason === "string" &&
    (changeId === null || typeof changeId === "string") &&
    Array.isArray(edits) &&
    edits.every(isPendingEdit)
  );
}

function isPendingEdit(value: unknown): value is PendingEdit {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, text, baseRevision, baseText } = value as Partial<Record<keyof PendingEdit, unknown>>;
  const isTextOrNull = (part: unknown): boolean => part === null || typeof part === "string";
  return (
    typeof kind === "string" &&
    typeof name === "string" &&
    isTextOrNull(text) &&
    isTextOrNull(baseText) &&
    typeof baseRevision === "number"
  );
}

const STORAGE_PREFIX = "holdfast.pending.";

let user: string | null = null;
let current: Pending = NOTHING_PENDING;
let kept = true;
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

/** Another person at the same browser has a pending change of their own. */
export function openPendingOf(name: string): void {
  if (user === name) return;
  user = name;
  current = parsePending(localStorage.getItem(STORAGE_PREFIX + name));
  queueMicrotask(tell);
}

export function updatePending(change: (pending: Pending) => Pending): void {
  current = change(current);
  if (user !== null) kept = keepOf(STORAGE_PREFIX + user, current);
  tell();
}

/** What the browser kept before goes too: a reload must not bring back an older text as if it were the newest. */
function keepOf(key: string, pending: Pending): boolean {
  if (pending.edits.length === 0 && pending.changeId === null) {
    localStorage.removeItem(key);
    return true;
  }
  try {
    localStorage.setItem(key, JSON.stringify(pending));
    return true;
  } catch {
    // A browser keeps some five million characters of a site, and none where its person forbids it.
    localStorage.removeItem(key);
    return false;
  }
}

/** False: it is in this window only, and a reload loses it. */
export function useIsKept(): boolean {
  return useSyncExternalStore(subscribe, () => kept);
}

/** As it is at this moment; a page that shows it uses `usePending`. */
export function currentPending(): Pending {
  return current;
}

export function discardPending(): void {
  updatePending(() => NOTHING_PENDING);
}

function subscribe(listener: () => void): () => void {
  const fromOtherWindow = (event: StorageEvent): void => {
    if (user === null || event.key !== STORAGE_PREFIX + user) return;
    current = parsePending(event.newValue);
    tell();
  };
  listeners.add(listener);
  window.addEventListener("storage", fromOtherWindow);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", fromOtherWindow);
  };
}

export function usePending(): Pending {
  return useSyncExternalStore(subscribe, () => current);
}
