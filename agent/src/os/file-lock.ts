import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Exclusion between processes that the kernel ends with the process. Node has neither flock nor fcntl, but the SQLite inside it locks
 * files, and an empty database that is never written is just that: BEGIN EXCLUSIVE takes a POSIX write lock on the bytes 0x40000000 to
 * 0x400001ff of the file, in 0.1 ms (spawning flock takes 5). A program in another language takes the same lock with
 * fcntl(F_SETLK, F_WRLCK) on those bytes.
 */
export class FileLock {
  readonly #database: DatabaseSync;
  /** Tasks of this process wait here for each other; the file lock is between processes. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Waits for nobody: who must look or undo while another process hangs with the lock comes this far. */
  static open(path: string): FileLock {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return new FileLock(new DatabaseSync(path, { timeout: 0 }));
  }

  /** Runs `task` alone on this machine. @throws LockTimeout when another process keeps the lock for longer than `timeoutMs` */
  async exclusively<T>(timeoutMs: number, task: () => T | Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      await retryWhileBusy(() => this.#database.exec("begin exclusive"), timeoutMs);
      try {
        return await task();
      } finally {
        this.#database.exec("rollback");
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Takes the lock for the life of this object. False when another process has it. */
  tryForever(): boolean {
    try {
      this.#database.exec("begin exclusive");
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

export class LockTimeout extends Error {}

async function retryWhileBusy(attempt: () => void, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(20, pauseMs * 2)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() >= giveUpAt)
        throw new LockTimeout(`another process has kept the ledger's lock for ${timeoutMs} ms`);
    }
    await sleep(pauseMs);
  }
}

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html */
const BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === BUSY;
}
