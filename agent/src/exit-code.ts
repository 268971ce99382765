/** What a role's end says to the init system and to people. */
export const EXIT = {
  done: 0,
  /** Refused or failed. */
  failed: 1,
  usage: 2,
  /** The server was undone or not confirmed. */
  undone: 3,
  unreachable: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
