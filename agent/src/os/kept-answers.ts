import { type BigIntStats, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RawFact } from "@holdfast/core/domain.ts";
import { digestOf } from "../digest.ts";

/**
 * Milliseconds. The kernel stamps files by a clock that stands still for up to 10 ms (CONFIG_HZ=100): what changed just before it was looked at
 * could change once more under the same stamp. An answer is kept only if nothing changed as recently as this.
 */
const AT_REST_MS = 1_000;

/**
 * Answers of commands that cost much and follow from files alone: given again for as long as the folders hold the same entries, each with the
 * same inode, mode, size and time of change. Only what succeeded is kept, and only as long as this process lives.
 */
export class KeptAnswers {
  readonly #nowMs: () => number;
  readonly #answers = new Map<string, { readonly stamp: string; readonly answer: RawFact }>();

  /** `nowMs`: the clock by which the kernel stamps files. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** `folders`: they and the folders right in them decide the answer. */
  async answer(question: string, folders: readonly string[], ask: () => Promise<RawFact>): Promise<RawFact> {
    // Before the question: what changes while it is answered makes another stamp the next time.
    const now = stampOf(folders, this.#nowMs());
    const kept = this.#answers.get(question);
    if (kept !== undefined && kept.stamp === now?.stamp) return kept.answer;
    const answer = await ask();
    if (answer.status === 0 && now?.isAtRest === true) this.#answers.set(question, { stamp: now.stamp, answer });
    else this.#answers.delete(question);
    return answer;
  }
}

interface Stamp {
  readonly stamp: string;
  /** Nothing of it has just changed, by whichever clock: a file of a time to come says nothing of the others. */
  readonly isAtRest: boolean;
}

/** Null: something could not be looked at, or went away meanwhile. Then nothing is known to be the same. */
function stampOf(folders: readonly string[], nowMs: number): Stamp | null {
  try {
    return readStamp(folders, nowMs);
  } catch {
    return null;
  }
}

function readStamp(folders: readonly string[], nowMs: number): Stamp {
  const seen: string[][] = [];
  let isAtRest = true;
  const look = (path: string, stats: BigIntStats): void => {
    seen.push([path, String(stats.mode), String(stats.ino), String(stats.size), String(stats.ctimeNs)]);
    if (Math.abs(nowMs - Number(stats.ctimeMs)) <= AT_REST_MS) isAtRest = false;
  };
  const enter = (folder: string, depth: number): void => {
    const stats = statSync(folder, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory()) return;
    look(folder, stats);
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const entry = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (entry === undefined) continue;
      look(path, entry);
      // What a link names: a unit file or a folder elsewhere. A device's times (a masked unit's is /dev/null) are not its content's.
      const target = entry.isSymbolicLink() ? statSync(path, { bigint: true, throwIfNoEntry: false }) : entry;
      if (target !== entry && target?.isFile() === true) look(`${path} →`, target);
      if (depth > 0 && target?.isDirectory() === true) enter(path, depth - 1);
    }
  };
  for (const folder of folders) enter(folder, 1);
  return { stamp: digestOf(seen), isAtRest };
}
