import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readSegment, salvage, segmentNumbers, segmentPath } from "@holdfast/agent/ledger/segment-files.ts";
import { PreallocatedFile } from "@holdfast/agent/os/files.ts";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import { answer, instructions, readCommands } from "../../servers/inside/command-lines.ts";

/**
 * Runs on a server and takes the ledger's own lock between two records, so that a test can stop a transaction at any of its steps for as long
 * as it needs. It writes nothing.
 */
export type GateCommand =
  /** Nobody appends from now on. */
  | { readonly verb: "hold" }
  | { readonly verb: "release" }
  /** Lets records through one by one until the newest transaction stands at one of these, and holds again. */
  | { readonly verb: "pass"; readonly kinds: readonly string[] }
  /** Lets one holder of the lock through that appends nothing, such as a module at its step, and holds again. */
  | { readonly verb: "pass_unwritten" }
  /** Waits for one of these without holding anything. */
  | { readonly verb: "watch"; readonly kinds: readonly string[] }
  | { readonly verb: "look" };

export interface GateAnswer {
  readonly requestId: string | null;
  /** The newest transaction's last record. */
  readonly last: string | null;
  readonly records: number;
  readonly generation: number;
  readonly lock: string | null;
  readonly why: string | null;
  readonly failed?: string;
}

const LEDGER = instructions() as string;
/** Milliseconds between two looks; a record takes longer to reach the disk. */
const LOOK_EVERY_MS = 0.25;
const PATIENCE_MS = 60_000;
/** Well below the time that the agent waits for its lock. */
const LOCK_PATIENCE_MS = 20_000;
const SQLITE_BUSY = 5;
const ENDED: readonly LedgerKind[] = ["finalized", "reverted", "revert_failed", "refused"];

const lock = new DatabaseSync(join(LEDGER, "lock"));
let held = false;
const quiet = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(quiet, 0, 0, ms);
}

function tryLock(): boolean {
  try {
    lock.exec("begin exclusive");
    held = true;
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

function unlock(): void {
  if (held) lock.exec("rollback");
  held = false;
}

function take(): void {
  const giveUpAt = performance.now() + LOCK_PATIENCE_MS;
  while (!tryLock()) {
    if (performance.now() > giveUpAt) throw new Error("the ledger's lock is never free");
    pause(LOOK_EVERY_MS / 4);
  }
}

function state(): LedgerState | null {
  const newest = segmentNumbers(LEDGER).at(-1);
  if (newest === undefined) return null;
  const image = readSegment(PreallocatedFile.readWhole(segmentPath(LEDGER, newest)));
  return image.damage === null ? image.state : salvage(image);
}

function look(): GateAnswer {
  const now = state();
  const newest = now?.transactions.at(-1);
  return {
    requestId: newest?.requestId ?? null,
    last: newest?.last ?? null,
    records: now?.nextSequence ?? 0,
    generation: now?.generation ?? 0,
    lock: now?.lock?.code ?? null,
    why: newest?.why?.code ?? null,
  };
}

function waitFor(what: string, holds: () => boolean): void {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`not seen: ${what}; the ledger says ${JSON.stringify(look())}`);
    pause(LOOK_EVERY_MS);
  }
}

function pass(kinds: readonly string[]): void {
  const first = look();
  for (let from = first; ; from = look()) {
    // What stood there before this transaction is not what is waited for.
    if (from !== first && kinds.includes(from.last ?? "")) return;
    letOneWrite(from.records);
    const newest = state()?.transactions.at(-1);
    const missed = newest !== undefined && newest.requestId !== first.requestId && !kinds.includes(newest.last);
    // A transaction that has ended has forgotten its steps.
    if (missed && (ENDED.includes(newest.last) || newest.entries.some((entry) => kinds.includes(entry.kind))))
      throw new Error(`ran past ${kinds.join(" and ")} to ${newest.last}`);
  }
}

/** Whoever has the lock is about to write: that is seen at once, and the lock taken the moment it is free. */
function letOneWrite(before: number): void {
  while (look().records === before) {
    unlock();
    // Or somebody who came and went between two looks.
    waitFor("somebody at the lock", () => !isFree() || look().records > before);
    take();
  }
}

function isFree(): boolean {
  const free = tryLock();
  if (free) unlock();
  return free;
}

function passUnwritten(): void {
  unlock();
  const before = look().records;
  waitFor("somebody at the lock", () => {
    if (look().records > before || !tryLock()) return true;
    unlock();
    // Long enough free for somebody whose tries are up to 20 ms apart.
    pause(4);
    return false;
  });
  take();
}

function obey(command: GateCommand): void {
  switch (command.verb) {
    case "hold":
      return held ? undefined : take();
    case "release":
      return unlock();
    case "pass":
      return pass(command.kinds);
    case "pass_unwritten":
      return passUnwritten();
    case "watch":
      return waitFor(command.kinds.join(" or "), () => command.kinds.includes(look().last ?? ""));
    case "look":
      return undefined;
  }
}

lock.exec("pragma busy_timeout = 0");
answer("ready");
readCommands((command) => {
  try {
    obey(command as GateCommand);
    answer(look());
  } catch (error) {
    unlock();
    answer({ ...look(), failed: error instanceof Error ? error.message : String(error) } satisfies GateAnswer);
  }
});
