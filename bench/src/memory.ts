import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentRole } from "@holdfast/testkit/agents/install-agent.ts";
import { agentProcesses } from "@holdfast/testkit/house/agent-processes.ts";
import { BenchHouse } from "./bench-house.ts";
import type { BenchContext } from "./context.ts";
import { policyText } from "./documents.ts";
import { onServers, since } from "./processor-time.ts";
import { row, type Row } from "./result.ts";

/** The guard leaves after 20 s, a module after 60; the rest is patience. */
const IDLE_S = 90;
const QUICK_IDLE_S = 3;
/** Looks in the idle time that follows: drift is looked for three times in it, and who starts for that is seen. */
const LOOKS = 19;
const LOOK_EVERY_MS = 5_000;
const QUICK_LOOKS = 2;

const ROLES: readonly AgentRole[] = ["session", "guard", "module"];

/**
 * What an agent takes when nothing happens, after it has applied something: /proc/PID/smaps_rollup of each of its processes, and the processor
 * time of all that runs on the server.
 */
export async function memory(context: BenchContext): Promise<readonly Row[]> {
  await using house = await BenchHouse.open([{ name: "web-1", kind: context.kind, labels: { role: "web" } }]);
  const set = { name: "rules", selector: "{ role: web }", rules: 50 };
  for (const mode of ["observe", "enforce"] as const)
    await house.apply(`Begin: ${mode}`, [policyText({ ...set, mode, changed: null, turn: 0 })]);
  const { machine } = house.first;
  const busy = new Map(ROLES.map((role) => [role, agentProcesses(machine, role).map(memoryOf)]));
  const idleS = context.quick ? QUICK_IDLE_S : IDLE_S;
  context.say(`Waiting ${idleS} s for the agent to have nothing to do …`);
  await sleep(idleS * 1_000);
  const looks: Memory[][] = [];
  const [spentBefore, began] = [house.processorTime(), performance.now()];
  for (let look = 0; look < (context.quick ? QUICK_LOOKS : LOOKS); look++) {
    if (look > 0) await sleep(LOOK_EVERY_MS);
    looks.push(ROLES.map((role) => total(agentProcesses(machine, role).map(memoryOf))));
  }
  const spent = onServers(since(spentBefore, house.processorTime()));
  const perMinute = spent / ((performance.now() - began) / 60_000);
  const part = "agent memory";
  const rows = ROLES.flatMap((role, at): readonly Row[] => {
    const just = total(busy.get(role) ?? []);
    const idle = looks.map((look) => look[at] ?? NOTHING);
    return [
      row(part, `${role}, after an apply: RSS`, "MB", [just.rss]),
      row(
        part,
        `${role}, idle: RSS`,
        "MB",
        idle.map((one) => one.rss),
        role === "session" ? { goal: "≤ 60 MB" } : {},
      ),
      row(
        part,
        `${role}, idle: anonymous`,
        "MB",
        idle.map((one) => one.anonymous),
        role === "session" ? { goal: "≤ 20 MB" } : {},
      ),
    ];
  });
  const sums = looks.map(total);
  return [
    ...rows,
    row(
      part,
      "all of the agent, idle: RSS",
      "MB",
      sums.map((one) => one.rss),
      { goal: "≤ 60 MB" },
    ),
    row(
      part,
      "all of the agent, idle: anonymous",
      "MB",
      sums.map((one) => one.anonymous),
      { goal: "≤ 20 MB" },
    ),
    row(part, "all of the server, idle: processor time a minute", "ms", [perMinute]),
  ];
}

interface Memory {
  readonly rss: number;
  readonly anonymous: number;
}

const NOTHING: Memory = { rss: 0, anonymous: 0 };

function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? Number.NaN) / 1024;
  return { rss: megabytes("Rss"), anonymous: megabytes("Anonymous") };
}

function total(all: readonly Memory[]): Memory {
  return all.reduce((sum, one) => ({ rss: sum.rss + one.rss, anonymous: sum.anonymous + one.anonymous }), NOTHING);
}
