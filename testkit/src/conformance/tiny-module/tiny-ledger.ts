import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { scanFrames } from "@holdfast/core/ledger/frame.ts";

/** What a module must know of a transaction before it may act. */
export interface LastWord {
  readonly kind: string;
  readonly stepId: string;
  readonly digest: string;
}

const LOCK_PATIENCE_MS = 30_000;
const LOCK_PAUSE_MS = 5;
/** SQLITE_BUSY, https://www.sqlite.org/rescode.html */
const BUSY = 5;

/**
 * The ledger as a module that shares no code with the agent reads it. The lock is a POSIX record lock on bytes of the file `lock`;
 * JavaScript takes it through SQLite, other languages with fcntl(2). The last word on a request is its last record in the newest segment,
 * or what the `carried` record at that segment's beginning says of it.
 */
export class TinyLedger {
  readonly #folder: string;
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#database = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  }

  /** Runs `task` while nobody else acts. It must not wait for anything: the lock is this process's as a whole. */
  async exclusively<T>(task: () => T): Promise<T> {
    const giveUpAt = performance.now() + LOCK_PATIENCE_MS;
    while (!this.#tryLock()) {
      if (performance.now() > giveUpAt) throw new Error("another process keeps the ledger's lock");
      await sleep(LOCK_PAUSE_MS);
    }
    try {
      return task();
    } finally {
      this.#database.exec("rollback");
    }
  }

  lastWordOn(requestId: string): LastWord | null {
    const newest = (existsSync(this.#folder) ? readdirSync(this.#folder) : [])
      .filter((name) => /^\d{8}\.segment$/.test(name))
      .toSorted()
      .at(-1);
    if (newest === undefined) return null;
    const scan = scanFrames(readFileSync(join(this.#folder, newest)), 0, null, (bytes) =>
      createHash("sha256").update(bytes).digest(),
    );
    // Behind damage nothing may be believed.
    if (scan.tail.kind === "damaged") return null;
    let last: LastWord | null = null;
    for (const { body } of scan.frames) {
      const record = JSON.parse(body) as SomeRecord;
      if (record.kind === "carried") last = carriedWord(record, requestId);
      else if (record.requestId === requestId)
        last = { kind: record.kind, stepId: record.detail.stepId ?? "", digest: record.detail.digest ?? "" };
    }
    return last;
  }

  #tryLock(): boolean {
    try {
      this.#database.exec("begin exclusive");
      return true;
    } catch (error) {
      if (error instanceof Error && "errcode" in error && error.errcode === BUSY) return false;
      throw error;
    }
  }
}

/** The part of a record that matters here; the checksum says that the ledger wrote it. */
interface SomeRecord {
  readonly kind: string;
  readonly requestId: string;
  readonly detail: {
    readonly stepId?: string;
    readonly digest?: string;
    readonly state?: { readonly transactions: readonly Carried[] };
  };
}
interface Carried {
  readonly requestId: string;
  readonly last: string;
  readonly lastStep: { readonly stepId: string; readonly digest: string } | null;
}

function carriedWord({ detail }: SomeRecord, requestId: string): LastWord | null {
  const one = detail.state?.transactions.find((known) => known.requestId === requestId);
  return one === undefined
    ? null
    : { kind: one.last, stepId: one.lastStep?.stepId ?? "", digest: one.lastStep?.digest ?? "" };
}
