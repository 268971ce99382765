/**
 * How the programs in this folder talk with their owner: one JSON value per line in, one per line out.
 * The end of the input is the order to end, so none of them outlives its owner.
 */
export function readCommands(onCommand: (command: unknown) => void, onEnd: () => void = () => process.exit(0)): void {
  let partial = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => {
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) onCommand(JSON.parse(line));
  });
  process.stdin.on("end", onEnd);
  process.stdin.on("error", onEnd);
}

export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The first argument: what the program is to do. The owner and the program come from the same checkout. */
export function instructions(): unknown {
  return JSON.parse(process.argv[2] ?? "null");
}
