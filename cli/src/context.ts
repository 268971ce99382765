import type { Writable } from "node:stream";
import type { CommandContext, StricliProcess } from "@stricli/core";

/** Everything a command can reach, so that tests can give it other ones. */
export interface Context extends CommandContext {
  readonly process: StricliProcess & {
    readonly stdout: Writable & { readonly columns?: number };
    readonly stderr: Writable;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A person is at the other end: colours, questions and redrawn lines are welcome. */
  readonly interactive: boolean;
  readonly colour: boolean;
  readonly home: string;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** All of standard input; only called when not `interactive`. */
  readonly input: () => string;
  /** Asks a question and gives the typed line; only called when `interactive`. */
  readonly ask: (question: string, options?: { readonly hidden?: boolean }) => Promise<string>;
}
