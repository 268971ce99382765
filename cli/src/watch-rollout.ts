import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import { type Rollout, rolloutSchema } from "@holdfast/core/api/change.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { CliError } from "./cli-error.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { outcome, stateWord } from "./view/state.ts";
import { painter, plain, width } from "./view/style.ts";
import { secondsLeft } from "./view/time.ts";

/** Often enough that a countdown looks alive, seldom enough that nobody notices the load. */
const POLL_MS = 400;
/** A control plane that is away this long is reported; the servers go on without it. */
const LOST_AFTER_MS = 180_000;

/**
 * Watches a rollout to its end and tells each thing that happens once. A control plane that goes away is waited for: what is on trial
 * undoes itself meanwhile, and the outcome is asked for afterwards, never guessed.
 */
export async function watchRollout(
  context: Context,
  client: Client,
  rolloutId: string,
): Promise<{ rollout: Rollout; exitCode: ExitCode }> {
  const screen = liveLines(context);
  const told = new Map<string, string>();
  let lostSince: number | null = null;
  for (;;) {
    let rollout: Rollout;
    try {
      rollout = await client.call("getRollout", { params: { id: rolloutId }, answer: rolloutSchema });
      if (lostSince !== null) screen.say("The control plane is back.");
      lostSince = null;
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
      if (lostSince === null)
        screen.say(
          "The control plane does not answer. What is on trial undoes itself; waiting to ask for the outcome.",
        );
      lostSince ??= context.now();
      if (context.now() - lostSince > LOST_AFTER_MS) throw error;
      await context.sleep(POLL_MS);
      continue;
    }
    const applies = rollout.waves
      .flatMap((wave) => wave.servers.map((target) => target.apply))
      .filter((apply) => apply !== null);
    for (const apply of applies) {
      const key = `${apply.state} ${apply.phase ?? ""} ${apply.lastStep ?? ""}`;
      if (told.get(apply.id) === key) continue;
      told.set(apply.id, key);
      screen.say(`  ${apply.server.padEnd(16)} ${story(context, apply)}`);
    }
    if (rollout.state === "DONE" || rollout.state === "HALTED") {
      screen.clear();
      return { rollout, exitCode: exitCodeOf(rollout, applies) };
    }
    screen.draw(applies.filter((apply) => isOpen(apply.state)).map((apply) => countdown(context, apply)));
    await context.sleep(POLL_MS);
  }
}

function story(context: Context, apply: ApplySummary): string {
  if (isOpen(apply.state))
    return `${stateWord(context, apply.state)} ${apply.phase ?? ""}${apply.lastStep === null ? "" : `: ${plain(apply.lastStep)}`}`;
  const why = apply.message === null ? "" : `\n${" ".repeat(19)}${plain(apply.message)} (${apply.code ?? ""})`;
  return `${outcome(context, apply.state, apply.serverIs, apply.effect)}${why}`;
}

function countdown(context: Context, apply: ApplySummary): string {
  const left = apply.deadlineAt === null ? "" : `, undoes itself in ${secondsLeft(apply.deadlineAt, context.now())} s`;
  return `  ${apply.server.padEnd(16)} ${apply.waitingFor ?? apply.phase ?? ""}${left}`;
}

function exitCodeOf(rollout: Rollout, applies: readonly ApplySummary[]): ExitCode {
  if (applies.some((apply) => apply.state === "FAILED")) return EXIT.refused;
  const wanted = rollout.kind === "forward" ? "APPLIED" : "ROLLED_BACK";
  if (applies.every((apply) => apply.state === wanted) && rollout.state === "DONE") return EXIT.done;
  return EXIT.undone;
}

/** Lines that are told once, above lines that are drawn over and over. Without a person only the told ones. */
function liveLines(context: Context): { say(line: string): void; draw(lines: readonly string[]): void; clear(): void } {
  const paint = painter(context);
  const out = context.process.stderr;
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  return {
    say(line) {
      erase();
      out.write(`${line}\n`);
    },
    draw(lines) {
      if (!context.interactive) return;
      erase();
      const room = Math.max(20, (context.process.stdout.columns ?? 80) - 1);
      for (const line of lines)
        out.write(`${paint("yellow", width(line) > room ? `${line.slice(0, room - 1)}…` : line)}\n`);
      drawn = lines.length;
    },
    clear: erase,
  };
}
