import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/**
 * The only code that writes files. All of it is synchronous: what comes next may not happen before the disk has answered.
 */

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces a file whole: temporary file beside it, fsync, rename, fsync of the directory. After a power cut there is the old file or the
 * new one, never a part of one.
 * @throws the system's error when the disk refuses; the old file is as it was then
 */
export function writeFileDurably(path: string, data: string | Uint8Array, mode: number, owner?: Ownership): void {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.new`);
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      writeWhole(descriptor, typeof data === "string" ? Buffer.from(data, "utf8") : data, null);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    chmodSync(temporary, mode);
    if (owner !== undefined) chownSync(temporary, owner.uid, owner.gid);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Removes a file; already gone is success. */
export function removeFileDurably(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Removes a folder with all that is in it; already gone is success. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Makes the folder and what it stands in; an existing one gets mode and owner. */
export function makeFolder(path: string, mode: number, owner?: Ownership): void {
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
}

export function syncDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The text of a file, or null when there is none. */
export function readTextIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

/** Names in a folder, sorted; empty when there is no such folder. */
export function namesIn(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path).sort() : [];
}

/** Bytes that an unprivileged writer could still write to the file system of `path`. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/**
 * A file of fixed size, made once and then overwritten in place: its blocks are allocated, so no later write of it meets a full disk.
 */
export class PreallocatedFile {
  readonly #descriptor: number;
  readonly path: string;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Makes it with this beginning and zeros behind; it appears under its name only when all of it is on disk. */
  static create(path: string, beginning: Uint8Array, size: number): void {
    const content = new Uint8Array(size);
    content.set(beginning);
    writeFileDurably(path, content, 0o600);
  }

  static open(path: string, access: "r" | "r+"): PreallocatedFile {
    return new PreallocatedFile(path, openSync(path, access));
  }

  static readWhole(path: string): Uint8Array {
    return readFileSync(path);
  }

  read(): Uint8Array {
    return readFileSync(this.path);
  }

  /** True when the byte there is not zero: something has been written from there on. */
  hasBytesAt(offset: number): boolean {
    const one = new Uint8Array(1);
    return readSync(this.#descriptor, one, 0, 1, offset) === 1 && one[0] !== 0;
  }

  /** Writes and waits for the disk. @throws the system's error: the bytes then count as not written */
  write(data: Uint8Array, offset: number): void {
    writeWhole(this.#descriptor, data, offset);
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function writeWhole(descriptor: number, data: Uint8Array, offset: number | null): void {
  for (let written = 0; written < data.length;) {
    written += writeSync(descriptor, data, written, data.length - written, offset === null ? null : offset + written);
  }
}

/** The system's name for what went wrong, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
