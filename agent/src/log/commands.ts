import { witnessCommands } from "../os/command-witness.ts";
import { noteCommand } from "../trace/tracing.ts";
import { currentAbout } from "./about.ts";
import type { Log } from "./log.ts";

/** From here on native commands of a transaction are lines of the log; those of mere looking are not. */
export function logCommands(log: Log): void {
  witnessCommands(({ program, status, milliseconds }) => {
    noteCommand(program, status !== 0, milliseconds);
    const about = currentAbout();
    if (about === null) return;
    log.info("native command", about, { program, status, milliseconds: Math.round(milliseconds) });
  });
}
