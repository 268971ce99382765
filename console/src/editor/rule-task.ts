import type { Result } from "@holdfast/core/base/result.ts";
import { editCells, readRuleBook, type RuleBook } from "./rule-book.ts";
import type { CellEdit } from "./rule-rows.ts";

/** What takes seconds with ten thousand rules: done beside the page, so that it stays quick. */
export interface RuleTasks {
  read: { readonly ask: { readonly text: string }; readonly answer: RuleBook | null };
  editMany: {
    readonly ask: { readonly book: RuleBook; readonly ids: readonly number[]; readonly edit: CellEdit };
    readonly answer: Result<RuleBook, string>;
  };
}
export type TaskName = keyof RuleTasks;

export const PERFORM: { readonly [Name in TaskName]: (ask: RuleTasks[Name]["ask"]) => RuleTasks[Name]["answer"] } = {
  read: ({ text }) => readRuleBook(text),
  editMany: ({ book, ids, edit }) => editCells(book, ids, edit),
};

export interface Order<Name extends TaskName> {
  readonly name: Name;
  readonly ask: RuleTasks[Name]["ask"];
}

/** All is copied: what the page shows stays its own. */
export const NOTHING_HANDED_OVER: StructuredSerializeOptions = {};

/** In a worker of its own, which ends with it; where there can be none, here. Aborted, it never answers. */
export function performBeside<Name extends TaskName>(
  name: Name,
  ask: RuleTasks[Name]["ask"],
  signal: AbortSignal,
): Promise<RuleTasks[Name]["answer"]> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(new URL("./rule-worker.ts", import.meta.url), { type: "module" });
    } catch {
      resolve(PERFORM[name](ask));
      return;
    }
    signal.addEventListener("abort", () => worker.terminate());
    worker.addEventListener("message", ({ data }: MessageEvent<RuleTasks[Name]["answer"]>) => {
      worker.terminate();
      resolve(data);
    });
    worker.addEventListener("error", () => {
      worker.terminate();
      if (!signal.aborted) resolve(PERFORM[name](ask));
    });
    worker.postMessage({ name, ask } satisfies Order<Name>, NOTHING_HANDED_OVER);
  });
}
