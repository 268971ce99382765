/** What a script can rely on. */
export const EXIT = {
  done: 0,
  /** Refused, or failed without anything having been changed. */
  refused: 1,
  usage: 2,
  /** Undone, or on trial and not confirmed. */
  undone: 3,
  /** The control plane could not be reached. */
  unreachable: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
