import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentProcesses } from "@holdfast/testkit/house/agent-processes.ts";
import type { RunningProcess } from "@holdfast/testkit/servers/child.ts";
import { until } from "@holdfast/testkit/until.ts";
import { type BegunApply, factsOf } from "../one-apply.ts";
import type { Fault } from "./fault.ts";
import type { Ending, Stage } from "./stage.ts";

/** The disk, full or lying, and what stands on it, damaged while the server is off. */
export const DISK_FAULTS: readonly Fault[] = [
  { test: "fault-20-disk-full-before-armed", suffer: diskFull },
  { test: "fault-21-fsync-fails-after-armed", suffer: fsyncFails },
  {
    test: "fault-22-ledger-tail-torn",
    slice: true,
    async suffer(stage) {
      const begun = await cutOnTrial(stage);
      tearLastRecord(ledgerOf(stage));
      return stage.end(begun);
    },
  },
  {
    test: "fault-23-ledger-or-snapshot-damaged",
    how: "the snapshot",
    async suffer(stage) {
      const begun = await cutOnTrial(stage);
      damage(join(stateOf(stage), "snapshots", await requestOf(stage, begun), "transaction.json"), '"snapshots"');
      return lockedAfter(stage, begun, "server.snapshot_damaged");
    },
  },
  {
    test: "fault-23-ledger-or-snapshot-damaged",
    how: "the ledger",
    slice: true,
    async suffer(stage) {
      const begun = await cutOnTrial(stage);
      damage(ledgerOf(stage), '"armed"');
      return lockedAfter(stage, begun, "ledger.damaged");
    },
  },
];

/** After damage somebody has to look before anything else is applied. */
async function lockedAfter(stage: Stage, begun: BegunApply, code: string): Promise<Ending> {
  const ending = await stage.end(begun);
  const lock = await stage.lock();
  if (lock !== code)
    throw new Error(`the server is locked for ${String(lock)}, not for ${code}; it ended ${ending.row.state}`);
  return ending;
}

const STATE = "/var/lib/holdfast";

/** Holdfast's state moves to a disk that has no room for a safe apply, and back. */
async function diskFull(stage: Stage): Promise<Ending> {
  const { machine } = stage.server;
  await moveState(stage, ["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", STATE]);
  try {
    return await stage.end(await stage.begin());
  } finally {
    await moveState(stage, ["umount", "--lazy", STATE]);
    await machine.must(["rm", "-rf", "/root/moving"]);
  }
}

/** Copies the state over a change of what is mounted at its place. */
async function moveState(stage: Stage, change: readonly string[]): Promise<void> {
  const { machine } = stage.server;
  await stage.restartAgent(async () => {
    await machine.must(["sh", "-c", `rm -rf /root/moving; cp -a ${STATE} /root/moving`]);
    await machine.must(change);
    await machine.must(["sh", "-c", `cp -a /root/moving/. ${STATE}/`]);
  });
}

/** The disk takes no write of the guard any more, from the record after `armed` on. */
async function fsyncFails(stage: Stage): Promise<Ending> {
  let tracer: RunningProcess | undefined;
  try {
    const begun = await stage.at("prepared", async () => {
      const [guard] = agentProcesses(stage.server.machine, "guard");
      if (guard === undefined) throw new Error("there is no guard");
      tracer = stage.house.networks.visitor.spawn([
        "strace",
        "--attach",
        String(guard),
        "--quiet=all",
        "--trace=fsync,fdatasync",
        // The first is `armed`.
        "--inject=fdatasync:error=EIO:when=2+",
        "--inject=fsync:error=EIO",
      ]);
      await until("the tracer to hold the guard", () => tracerOf(guard) !== 0);
    });
    return await stage.end(begun);
  } finally {
    await tracer?.stop();
  }
}

function tracerOf(pid: number): number {
  return Number(/^TracerPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0);
}

async function cutOnTrial(stage: Stage): Promise<BegunApply> {
  return stage.at("on_trial", () => stage.server.machine.cut());
}

async function requestOf(stage: Stage, begun: BegunApply): Promise<string> {
  const { request_id: requestId } = await factsOf(stage.house, begun.applyId);
  if (requestId === null) throw new Error("the apply has no transaction");
  return requestId;
}

/** The disk of a server that is off, as this machine sees it. */
function stateOf(stage: Stage): string {
  return join(stage.house.lab.home, stage.server.name, "upper", STATE);
}

function ledgerOf(stage: Stage): string {
  const folder = join(stateOf(stage), "ledger");
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith(".segment"))
    .toSorted()
    .at(-1);
  if (newest === undefined) throw new Error(`there is no ledger in ${folder}`);
  return join(folder, newest);
}

/** The last record is there only to its middle, as when the power went while it was written. */
function tearLastRecord(path: string): void {
  const image = readFileSync(path);
  const end = image.findLastIndex((byte) => byte !== 0) + 1;
  const start = image.lastIndexOf('"on_trial"', end);
  if (start < 0) throw new Error("the last record is not on_trial");
  image.fill(0, start + 5);
  writeFileSync(path, image);
}

/** One bit falls over. */
function damage(path: string, where: string): void {
  const image = readFileSync(path);
  const at = image.indexOf(where);
  if (at < 0) throw new Error(`${path} does not hold ${where}`);
  image[at + 1] = (image[at + 1] ?? 0) ^ 1;
  writeFileSync(path, image);
}
