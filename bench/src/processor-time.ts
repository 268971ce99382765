import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * Processor time by what spends it. On a machine that others use too, it says more than the clock: waiting for others does not count.
 * A process that came and went is counted with the one that waited for it.
 */
export type ProcessorTime = ReadonlyMap<string, number>;

export interface Spenders {
  /** The control plane's data directory: how its process and its PostgreSQL are known. */
  readonly data: string;
  /** PID 1 of each server, as the machine counts. */
  readonly servers: readonly number[];
}

/** USER_HZ, proc(5): the same on every Linux that Node runs on. */
const TICK_MS = 10;

/** Milliseconds so far. */
export function processorTime({ data, servers }: Spenders): ProcessorTime {
  const spaces = new Set(servers.map((pid) => link(pid, "pid")));
  const spent = new Map<string, number>();
  const postmasters = new Set<number>();
  const all = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => look(Number(entry)))
    .filter((one) => one !== null);
  for (const one of all) if (one.command.includes("postgres") && one.command.includes(data)) postmasters.add(one.pid);
  for (const one of all) {
    const who = spender(one, data, spaces, postmasters);
    if (who !== null) spent.set(who, (spent.get(who) ?? 0) + one.ms);
  }
  return spent;
}

/** Of who has left meanwhile it is below zero: what they had spent before is their init's now, and counted there. */
export function since(before: ProcessorTime, now: ProcessorTime): ProcessorTime {
  const everybody = new Set([...before.keys(), ...now.keys()]);
  return new Map([...everybody].map((who) => [who, (now.get(who) ?? 0) - (before.get(who) ?? 0)]));
}

/** Who spends processor time and is not on a server. */
const ELSEWHERE: ReadonlySet<string> = new Set(["control plane", "PostgreSQL"]);

/** Milliseconds of all that runs on the servers. Of the agent's processes alone it cannot be told: what one spent that has left is its init's. */
export function onServers(spent: ProcessorTime): number {
  return [...spent].reduce((sum, [who, ms]) => (ELSEWHERE.has(who) ? sum : sum + ms), 0);
}

interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
  readonly ms: number;
}

function look(pid: number): Seen | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), which counts from 1 and has two before these.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, parent: Number(fields[1]), name, command, ms: ticks * TICK_MS };
  } catch {
    return null; // gone meanwhile
  }
}

function spender(
  one: Seen,
  data: string,
  spaces: ReadonlySet<string>,
  postmasters: ReadonlySet<number>,
): string | null {
  if (postmasters.has(one.pid) || postmasters.has(one.parent)) return "PostgreSQL";
  if (one.command.includes("control/src/main.ts") && environment(one.pid).includes(`HOLDFAST_DATA_DIR=${data}\0`))
    return "control plane";
  if (!spaces.has(link(one.pid, "pid"))) return null;
  const role = one.command.includes("holdfast-session.mjs")
    ? "session"
    : /holdfast-agent\.mjs (\w+)/.exec(one.command)?.[1];
  if (role !== undefined) return `agent: ${role}`;
  return one.name === "nft" ? "nft" : "rest of the server";
}

function link(pid: number, namespace: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${namespace}`);
  } catch {
    return "";
  }
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
