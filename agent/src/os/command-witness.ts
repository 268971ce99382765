/** What was started on the server, for the log: the program and how it ended, never its operands, which may hold addresses and secrets. */
export interface NativeCommand {
  readonly program: string;
  /** Null when it was killed, could not be started, or is one that lives on. */
  readonly status: number | null;
  readonly milliseconds: number;
}

type Witness = (command: NativeCommand) => void;

let witness: Witness | null = null;

/** One for each process: set where it starts. */
export function witnessCommands(told: Witness): void {
  witness = told;
}

export function tellWitness(command: NativeCommand): void {
  witness?.(command);
}
