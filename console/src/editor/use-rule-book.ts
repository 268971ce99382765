import { useEffect, useState } from "react";
import { readRuleBook, type RuleBook } from "./rule-book.ts";
import { performBeside } from "./rule-task.ts";

/** In characters. About a thousand rules, which are read in a tenth of a second; longer texts are read beside the page. */
const LONG = 100_000;

export type Reading =
  | { readonly state: "reading" }
  | { readonly state: "unreadable" }
  | { readonly state: "read"; readonly book: RuleBook };

interface Hand {
  text: string | null;
  book: RuleBook | null;
}

/**
 * The book of the text that is shown. A text that came of an edit of the last book is not read again: its book is in hand when `keep` was
 * told of it before the text changes.
 */
export function useRuleBook(text: string): {
  readonly reading: Reading;
  readonly keep: (book: RuleBook) => void;
  /** The newest, also between an edit and the picture of it. */
  readonly latest: () => RuleBook | null;
} {
  const [hand] = useState<Hand>(() => ({ text: null, book: null }));
  const [, setRead] = useState<string | null>(null);
  const keep = (book: RuleBook): void => {
    hand.text = book.text;
    hand.book = book;
  };
  if (hand.text !== text && text.length <= LONG) {
    hand.book = readRuleBook(text, hand.book?.nextId);
    hand.text = text;
  }
  useEffect(() => {
    if (hand.text === text) return undefined;
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      const book = await performBeside("read", { text }, abort.signal);
      if (abort.signal.aborted) return;
      hand.text = text;
      hand.book = book;
      setRead(text);
    };
    void read();
    return () => abort.abort();
  }, [text, hand]);
  const latest = (): RuleBook | null => hand.book;
  if (hand.text !== text) return { reading: { state: "reading" }, keep, latest };
  return { reading: hand.book === null ? { state: "unreadable" } : { state: "read", book: hand.book }, keep, latest };
}
