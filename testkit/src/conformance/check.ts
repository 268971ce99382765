import type { Bench } from "./bench.ts";

/** The promises of module.proto by their numbers, and what every call owes besides. */
export const RULES = {
  contract: "every call",
  M1: "reading changes nothing",
  M2: "no step without the ledger's word",
  M3: "doing it again changes nothing",
  M4: "the same plan, byte for byte",
  M5: "answers with what was read",
  M6: "only its own objects",
  M7: "no memory that it needs",
} as const;
export type Rule = keyof typeof RULES;

export interface Check {
  readonly rule: Rule;
  /** Unique: tests and people name it. */
  readonly name: string;
  /** What is in force when it begins. */
  readonly from: "nothing" | "a";
  /** Throws ContractBroken. May leave the server and the ledger as it likes; the kit settles both. */
  readonly run: (bench: Bench) => Promise<void>;
}
