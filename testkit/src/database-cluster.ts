/**
 * One PostgreSQL for a whole test run. Runs as a process of its own, started by whichever test file needs it first, and ends with the
 * run's main process however that ends: nothing else watches it.
 *
 * Arguments: the directory of the run, the pid of the main process, its start time, the directory of the binaries ("" for the embedded).
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { binariesIn } from "@holdfast/control/postgres/binaries.ts";
import type { ConnectionTarget } from "@holdfast/control/postgres/connection-target.ts";
import { APP_ROLE, OWNER_ROLE, SIGNER_ROLE, startEmbedded, SUPERUSER } from "@holdfast/control/postgres/embedded.ts";
import { migrate, readMigrations } from "@holdfast/control/store/migrate.ts";
import { makeDatabase } from "@holdfast/control/store/roles.ts";
import { startTimeOf } from "./process-start-time.ts";

export const TEMPLATE = "template_holdfast";

/** What the cluster's process tells the test files. */
export type ClusterReport =
  | {
      readonly ready: true;
      readonly superuser: ConnectionTarget;
      readonly owner: ConnectionTarget;
      readonly app: ConnectionTarget;
      readonly signer: ConnectionTarget;
    }
  | { readonly ready: false; readonly reason: string };

/** The run is over this long before the cluster notices. */
const WATCH_MS = 300;

if (import.meta.main) {
  const [directory = "", pid = "", startTime = "", binaryDirectory = ""] = process.argv.slice(2);
  const report = (text: ClusterReport): void => {
    // Whole or not at all: a test file may be reading already.
    writeFileSync(join(directory, "report.new"), JSON.stringify(text));
    renameSync(join(directory, "report.new"), join(directory, "report.json"));
  };
  try {
    await serve(directory, report, binaryDirectory, () => startTimeOf(Number(pid)) === startTime);
  } catch (error) {
    report({ ready: false, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function serve(
  directory: string,
  report: (text: ClusterReport) => void,
  binaryDirectory: string,
  isRunGoing: () => boolean,
): Promise<void> {
  const log: string[] = [];
  const binaries = binaryDirectory === "" ? undefined : binariesIn(binaryDirectory);
  if (binaries?.ok === false) throw new Error(binaries.error.message);
  const cluster = await startEmbedded({
    home: join(directory, "database"),
    log: (line) => log.push(line),
    ...(binaries === undefined ? {} : { binaries: binaries.value }),
    // Nothing here outlives the run, so nothing needs to reach the disk.
    settings: {
      fsync: "off",
      full_page_writes: "off",
      max_connections: "300",
      shared_buffers: "64MB",
      wal_level: "minimal",
      max_wal_senders: "0",
    },
  });
  if (!cluster.ok) throw new Error(`${cluster.error.message}\n${log.join("\n")}`);
  try {
    await makeDatabase(cluster.value.target(SUPERUSER, "postgres"), TEMPLATE, OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
    const migrated = await migrate(cluster.value.target(OWNER_ROLE, TEMPLATE), APP_ROLE, readMigrations(), SIGNER_ROLE);
    if (!migrated.ok) throw new Error(migrated.error.message);
    report({
      ready: true,
      superuser: cluster.value.target(SUPERUSER, "postgres"),
      owner: cluster.value.target(OWNER_ROLE, TEMPLATE),
      app: cluster.value.target(APP_ROLE, TEMPLATE),
      signer: cluster.value.target(SIGNER_ROLE, TEMPLATE),
    });
    while (isRunGoing()) await sleep(WATCH_MS);
  } finally {
    await cluster.value.stop();
  }
}

/** Read by the test files: the report, once it is there. */
export function readReport(directory: string): ClusterReport | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "report.json"), "utf8")) as ClusterReport;
  } catch {
    return undefined;
  }
}
