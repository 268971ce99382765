import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import { roleOf, type ConnectionTarget } from "@holdfast/control/postgres/connection-target.ts";
import { Database } from "@holdfast/control/store/database.ts";
import { readReport, TEMPLATE, type ClusterReport } from "./database-cluster.ts";
import { startTimeOf } from "./process-start-time.ts";

/** A fresh database with the whole schema, for one test. */
export interface TestDatabase {
  readonly name: string;
  /** As the application: what production code gets. */
  readonly app: Database;
  readonly appTarget: ConnectionTarget;
  /** As the signer of commands. */
  readonly signerTarget: ConnectionTarget;
  /** As the owner of the schema. */
  readonly owner: Database;
  readonly ownerTarget: ConnectionTarget;
  /** As superuser, for what only an attacker would do. */
  readonly superuserTarget: ConnectionTarget;
  /** What sessions said when they broke without being asked. */
  readonly sessionErrors: readonly Error[];
}

/** Debian 12's PostgreSQL, the oldest that Holdfast promises to run on. */
export const DEBIAN_15 = "/usr/lib/postgresql/15/bin";
export const hasDebian15 = existsSync(DEBIAN_15);

/** Time enough for initdb and a start on a busy machine. */
const CLUSTER_WITHIN_MS = 60_000;

export function withDatabase<T>(body: (database: TestDatabase) => Promise<T>): Promise<T> {
  return withDatabaseOf("", body);
}

/** The same on Debian's PostgreSQL 15; the caller skips its test where `hasDebian15` is false. */
export function withDebian15<T>(body: (database: TestDatabase) => Promise<T>): Promise<T> {
  return withDatabaseOf(DEBIAN_15, body);
}

async function withDatabaseOf<T>(binaryDirectory: string, body: (database: TestDatabase) => Promise<T>): Promise<T> {
  const cluster = await clusterOf(binaryDirectory);
  const admin = new Database(cluster.superuser, ignore, 1);
  const name = `test_${process.pid}_${++made}`;
  await createDatabase(admin, name, cluster, ` template ${TEMPLATE}`);
  const sessionErrors: Error[] = [];
  const on = (target: ConnectionTarget): ConnectionTarget => ({ ...target, database: name }) as ConnectionTarget;
  const app = new Database(on(cluster.app), (error) => sessionErrors.push(error));
  const owner = new Database(on(cluster.owner), (error) => sessionErrors.push(error), 4);
  try {
    return await body({
      name,
      app,
      appTarget: on(cluster.app),
      signerTarget: on(cluster.signer),
      owner,
      ownerTarget: on(cluster.owner),
      superuserTarget: on(cluster.superuser),
      sessionErrors,
    });
  } finally {
    await Promise.all([app.close(), owner.close()]);
    await admin.run({ text: `drop database ${name} with (force)`, values: [] });
    await admin.close();
  }
}

/** An empty database without the schema, on the same cluster. */
export async function withEmptyDatabase<T>(
  body: (targets: Pick<TestDatabase, "ownerTarget" | "appTarget" | "superuserTarget">) => Promise<T>,
  binaryDirectory = "",
): Promise<T> {
  const cluster = await clusterOf(binaryDirectory);
  const admin = new Database(cluster.superuser, ignore, 1);
  const name = `empty_${process.pid}_${++made}`;
  await createDatabase(admin, name, cluster, "");
  const on = (target: ConnectionTarget): ConnectionTarget => ({ ...target, database: name }) as ConnectionTarget;
  try {
    return await body({
      ownerTarget: on(cluster.owner),
      appTarget: on(cluster.app),
      superuserTarget: on(cluster.superuser),
    });
  } finally {
    await admin.run({ text: `drop database ${name} with (force)`, values: [] });
    await admin.close();
  }
}

/** What a database's owner and rights are is not part of its template. */
async function createDatabase(admin: Database, name: string, cluster: ReadyCluster, template: string): Promise<void> {
  const statements = [
    `create database ${name}${template} owner ${roleOf(cluster.owner)}`,
    `revoke all on database ${name} from public`,
    `grant connect on database ${name} to ${roleOf(cluster.app)}, ${roleOf(cluster.signer)}`,
  ];
  for (const text of statements) await admin.run({ text, values: [] });
}

type ReadyCluster = ClusterReport & { ready: true };

let made = 0;
const clusters = new Map<string, Promise<ReadyCluster>>();

function clusterOf(binaryDirectory: string): Promise<ReadyCluster> {
  let cluster = clusters.get(binaryDirectory);
  if (cluster === undefined) {
    cluster = joinCluster(binaryDirectory);
    clusters.set(binaryDirectory, cluster);
  }
  return cluster;
}

/** The first of the run's processes starts the cluster; making its directory decides who is first. */
async function joinCluster(binaryDirectory: string): Promise<ReadyCluster> {
  const pid = runPid();
  const startTime = startTimeOf(pid) ?? "";
  const kind = binaryDirectory === "" ? "embedded" : "debian15";
  const directory = join(tmpdir(), `holdfast-test-${kind}-${pid}-${startTime}`);
  try {
    // The database user must be able to enter it.
    mkdirSync(directory, { mode: 0o711 });
    const program = fileURLToPath(new URL("./database-cluster.ts", import.meta.url));
    spawn(process.execPath, [program, directory, String(pid), startTime, binaryDirectory], {
      detached: true,
      stdio: "ignore",
    }).unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const deadline = performance.now() + CLUSTER_WITHIN_MS;
  while (performance.now() < deadline) {
    const report = readReport(directory);
    if (report?.ready === true) return report;
    if (report?.ready === false) throw new Error(`the test database did not start: ${report.reason}`);
    await sleep(50);
  }
  throw new Error(`the test database did not start within ${CLUSTER_WITHIN_MS} ms (${directory})`);
}

/** Vitest runs test files in child processes or threads of one main process; outside of it the process itself is the run. */
function runPid(): number {
  return process.env["VITEST"] !== undefined && isMainThread ? process.ppid : process.pid;
}

/** A test that ends its database's sessions by force hears of it here, after it has what it wanted. */
function ignore(): void {
  return undefined;
}
