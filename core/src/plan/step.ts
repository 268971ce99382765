import type { DomainName } from "../domain.ts";

/**
 * One act on the server, as data. The agent's `os` room has one performer per kind and no other way to touch the machine.
 * A step is idempotent: doing it again on a server that has it changes nothing.
 */
export type Action =
  /** One atomic batch for `nft -f`. It may name only the table `inet holdfast`. */
  | { readonly kind: "nft"; readonly batch: string }
  /** Writes a file whole: temporary file, fsync, rename, fsync of the directory. `path` must be on the domain's own list. */
  | { readonly kind: "write_file"; readonly path: string; readonly mode: number; readonly text: string }
  /** Removes a file of ours; already gone is success. */
  | { readonly kind: "remove_file"; readonly path: string };

export type ActionKind = Action["kind"];

export interface Step {
  /** Unique in the plan, stable over re-planning of the same difference, for example `firewall.batch`. */
  readonly id: string;
  readonly domain: DomainName;
  /** What it does, in words, for the plan, the progress display and the log. */
  readonly title: string;
  readonly action: Action;
  /** Milliseconds it may take before it counts as failed; becomes part of the armed deadline. */
  readonly budgetMs: number;
}
