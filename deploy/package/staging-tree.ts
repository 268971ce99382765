import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

/** The files of a package as they will lie on the disk, below one folder, with nothing in them that depends on who built them when. */
export class StagingTree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    writeFileSync(this.#placeFor(path), content);
    chmodSync(join(this.root, path), mode);
  }

  copy(from: string, path: string, mode = 0o644): void {
    copyFileSync(from, this.#placeFor(path));
    chmodSync(join(this.root, path), mode);
  }

  /** Paths of all files, sorted. */
  files(): readonly string[] {
    return readdirSync(this.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.root, join(entry.parentPath, entry.name)))
      .toSorted();
  }

  /** What they take on a disk, in KiB, each file rounded up; directories count one (deb-control(5), Installed-Size). */
  installedKib(): number {
    const entries = readdirSync(this.root, { recursive: true, withFileTypes: true });
    return entries.reduce(
      (sum, entry) => sum + (entry.isFile() ? Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 1024) : 1),
      0,
    );
  }

  /** As dpkg checks them: MD5 is its format, no protection. */
  md5sums(): string {
    return this.files()
      .map(
        (path) =>
          `${createHash("md5")
            .update(readFileSync(join(this.root, path)))
            .digest("hex")}  ${path}\n`,
      )
      .join("");
  }

  /** One time and one mode for everything: neither the umask nor the clock of the builder is seen. */
  settle(epochSeconds: number): void {
    const all = readdirSync(this.root, { recursive: true, withFileTypes: true });
    for (const entry of all) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) chmodSync(path, 0o755);
      utimesSync(path, epochSeconds, epochSeconds);
    }
    chmodSync(this.root, 0o755);
    utimesSync(this.root, epochSeconds, epochSeconds);
  }

  #placeFor(path: string): string {
    const place = join(this.root, path);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  }
}
