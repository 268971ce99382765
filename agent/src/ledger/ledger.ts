import { existsSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import {
  checkNext,
  EMPTY_LEDGER,
  foldRecord,
  openTransaction,
  pruneState,
  type LedgerRefusal,
} from "@holdfast/core/ledger/fold.ts";
import { encodeFrame, frameHash, HASH_BYTES } from "@holdfast/core/ledger/frame.ts";
import { recordBody, type LedgerRecord, type LedgerState, type RecordDraft } from "@holdfast/core/ledger/record.ts";
import type { Clock } from "../os/clock.ts";
import { FileLock } from "../os/file-lock.ts";
import { makeFolder, PreallocatedFile, removeFileDurably } from "../os/files.ts";
import {
  readOn,
  readSegment,
  salvage,
  SEGMENT_BYTES,
  segmentNumbers,
  segmentPath,
  sha256,
  type SegmentImage,
} from "./segment-files.ts";

/**
 * The durable record of what was done to this server, shared by guard, modules, revert and boot.
 *
 *   J1. Compare and append: under the lock, the tail is read again, the record checked against it, written, and on disk before anybody acts.
 *   J2. Segments are filled with zeros when they are made, and a transaction is prepared only with room for its records and for its undo:
 *       a full disk cannot strike between arming and undoing.
 *   J3. A write that the disk did not acknowledge counts as not written: its bytes are blotted out and the record goes into a new segment,
 *       because the kernel reports such an error once and then calls the page clean.
 *   J4. Damage is never read over: the good part is carried into a new segment, the damaged one is kept, the server is locked.
 */
export type AppendError = LedgerRefusal | { readonly code: "ledger.unwritable"; readonly message: string };

/** What may be done while the ledger's lock is held. */
export interface LockedLedger {
  readonly state: LedgerState;
  readonly append: (draft: RecordDraft) => Result<LedgerRecord, AppendError>;
}

/** Bytes that must be free in a segment before a transaction is prepared: far above all the records of one. */
const ROOM_FOR_A_TRANSACTION = 256 * 1024;

/** Milliseconds. A module holds the lock while it does one step; whoever undoes has killed it before. */
export const LOCK_TIMEOUT_MS = 30_000;

export class Ledger {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #lock: FileLock;
  #number = 0;
  #file: PreallocatedFile | null = null;
  #image: SegmentImage = { state: EMPTY_LEDGER, end: 0, head: new Uint8Array(HASH_BYTES), torn: null, damage: null };

  private constructor(folder: string, clock: Clock, lock: FileLock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#lock = lock;
  }

  /**
   * Opens the ledger, making it when there is none. One that is there is opened without its lock: a module that hangs in a step keeps the
   * lock, and whoever undoes must read here whom to kill. What a crash left is put right by the first who takes the lock.
   */
  static async open(folder: string, clock: Clock): Promise<Ledger> {
    makeFolder(folder, 0o700);
    const ledger = new Ledger(folder, clock, FileLock.open(`${folder}/lock`));
    if (segmentNumbers(folder).length === 0) await ledger.exclusively(() => undefined);
    return ledger;
  }

  /** What the ledger says now. Takes no lock: a record that is being written is not seen yet. */
  read(): LedgerState {
    this.#refresh();
    return this.#image.damage === null ? this.#image.state : salvage(this.#image);
  }

  async append(draft: RecordDraft): Promise<Result<LedgerRecord, AppendError>> {
    return this.exclusively((locked) => locked.append(draft));
  }

  /** Makes room for a transaction's records (J2) before it is prepared. @throws the system's error when the disk is full */
  async reserve(): Promise<void> {
    await this.exclusively(() => {
      if (SEGMENT_BYTES - this.#image.end < ROOM_FOR_A_TRANSACTION) this.#rotate(this.#image.state, "");
    });
  }

  /** Runs `task` while nobody else can append or change the server. */
  async exclusively<T>(task: (locked: LockedLedger) => T | Promise<T>, timeoutMs = LOCK_TIMEOUT_MS): Promise<T> {
    return this.#lock.exclusively(timeoutMs, async () => {
      this.#refresh();
      this.#settle();
      const stateNow = (): LedgerState => this.#image.state;
      return task({
        get state() {
          return stateNow();
        },
        append: (draft) => this.#append(draft),
      });
    });
  }

  close(): void {
    this.#file?.close();
    this.#lock.close();
  }

  /** Reads what others have appended since. */
  #refresh(): void {
    const newest = this.#newest();
    if (newest === undefined) return;
    if (newest !== this.#number || this.#file === null) {
      this.#file?.close();
      this.#file = PreallocatedFile.open(segmentPath(this.#folder, newest), "r+");
      this.#number = newest;
      this.#image = this.#withPredecessor(readSegment(this.#file.read()));
    } else if (this.#image.damage === null && this.#file.hasBytesAt(this.#image.end)) {
      this.#image = readOn(this.#file.read(), this.#image.end, this.#image.head, this.#image.state);
    }
  }

  /** The newest segment. They are numbered without a gap, and whoever follows the ledger asks fifty times a second: no folder is read for it. */
  #newest(): number | undefined {
    const isStillNewest = this.#file !== null && !existsSync(segmentPath(this.#folder, this.#number + 1));
    return isStillNewest ? this.#number : segmentNumbers(this.#folder).at(-1);
  }

  /** A segment whose first record cannot be read carries nothing: what the one before said is the good part then. */
  #withPredecessor(image: SegmentImage): SegmentImage {
    if (image.end > 0 || this.#number === 1) return image;
    const before = readSegment(PreallocatedFile.readWhole(segmentPath(this.#folder, this.#number - 1)));
    return {
      ...before,
      end: 0,
      torn: null,
      damage: { why: "the first record of the newest segment cannot be read", later: image.damage?.later ?? [] },
    };
  }

  /** Puts right what a crash left, before anything is appended: the first segment, a torn tail, damage. */
  #settle(): void {
    if (this.#file === null) {
      PreallocatedFile.create(segmentPath(this.#folder, 1), new Uint8Array(0), SEGMENT_BYTES);
      this.#refresh();
    }
    const { torn, damage } = this.#image;
    if (damage !== null) this.#rotate(salvage(this.#image), damage.why);
    else if (torn !== null) {
      this.#file?.write(new Uint8Array(torn.to - torn.from), torn.from);
      this.#image = { ...this.#image, torn: null };
    }
  }

  #append(draft: RecordDraft): Result<LedgerRecord, AppendError> {
    const legal = checkNext(this.#image.state, draft);
    if (!legal.ok) return legal;
    const record: LedgerRecord = {
      ...draft,
      sequence: this.#image.state.nextSequence,
      bootId: this.#clock.bootId(),
      boottimeMs: this.#clock.boottimeMs(),
      atMs: this.#clock.wallMs(),
    };
    try {
      this.#write(record);
    } catch {
      try {
        this.#rotate(this.#image.state, "");
        this.#write({ ...record, sequence: this.#image.state.nextSequence });
      } catch (error) {
        return err({ code: "ledger.unwritable", message: error instanceof Error ? error.message : String(error) });
      }
    }
    return ok(record);
  }

  /** @throws the system's error; the record is then not in the ledger, whatever the page cache holds (J3) */
  #write(record: LedgerRecord): void {
    const file = this.#file;
    if (file === null) throw new Error("the ledger is not open");
    const frame = encodeFrame(recordBody(record), this.#image.head);
    const { end } = this.#image;
    if (end + frame.length > SEGMENT_BYTES) throw new Error("the segment is full");
    const hash = frameHash(frame, sha256);
    const folded = foldRecord(this.#image.state, record, Buffer.from(hash).toString("hex"));
    if (!folded.ok) throw new Error(folded.error);
    try {
      file.write(frame, end);
    } catch (error) {
      blot(file, end, frame.length);
      throw error;
    }
    this.#image = { state: folded.value, end: end + frame.length, head: hash, torn: null, damage: null };
  }

  /** Begins a new segment with what is to be remembered. The one before stays, as evidence and for people; older ones go. */
  #rotate(state: LedgerState, damage: string): void {
    const carried = pruneState(state);
    const record: LedgerRecord = {
      kind: "carried",
      requestId: "",
      fence: carried.maxFence,
      detail: { state: carried, damage },
      sequence: state.nextSequence,
      bootId: this.#clock.bootId(),
      boottimeMs: this.#clock.boottimeMs(),
      atMs: this.#clock.wallMs(),
    };
    const next = this.#number + 1;
    PreallocatedFile.create(
      segmentPath(this.#folder, next),
      encodeFrame(recordBody(record), this.#image.head),
      SEGMENT_BYTES,
    );
    this.#refresh();
    if (openTransaction(carried) !== null || damage !== "") return;
    for (const number of segmentNumbers(this.#folder))
      if (number < next - 1) removeFileDurably(segmentPath(this.#folder, number));
  }
}

/** Makes sure that nobody reads a record which may not be on disk. */
function blot(file: PreallocatedFile, from: number, length: number): void {
  try {
    file.write(new Uint8Array(length), from);
  } catch {
    // The zeros are in the page cache, which is what readers see; the disk has said already that it takes nothing.
  }
}
