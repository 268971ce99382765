import type { CellEdit, Cell, Hook } from "../../editor/rule-rows.ts";
import type { FindingLike } from "../../parts/finding-key.ts";

/** What a row of the rule table can do. False: it was refused, and why is shown. */
export interface RuleHands {
  readonly disabled: boolean;
  /** What the policy itself calls a list of addresses or services. */
  readonly names: ReadonlyMap<string, Cell>;
  readonly edit: (id: number, edit: CellEdit) => boolean;
  readonly move: (id: number, to: number) => boolean;
  readonly copy: (id: number) => void;
  readonly remove: (id: number) => void;
  readonly add: (hook: Hook) => void;
  readonly editName: (name: string, words: string) => boolean;
  readonly refuse: (sentence: string) => void;
  readonly go: (finding: FindingLike) => void;
}
