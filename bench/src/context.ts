import type { ServerKind } from "@holdfast/testkit/servers/server-kind.ts";

/** What every part is given. */
export interface BenchContext {
  readonly quick: boolean;
  readonly trace: boolean;
  /** The best kind that this machine can run: with systemd where it can. */
  readonly kind: ServerKind;
  readonly say: (line: string) => void;
}
