import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ControlInstance } from "@holdfast/testkit/control-plane/control-instance.ts";
import { Operator } from "@holdfast/testkit/operator/operator.ts";
import { RunningProcess } from "@holdfast/testkit/servers/child.ts";
import { nodeBinary } from "@holdfast/testkit/servers/machine.ts";
import type { BenchContext } from "./context.ts";
import { floorText, policyText } from "./documents.ts";
import { Door } from "./door.ts";
import { EventTap } from "./event-tap.ts";
import type { SimulatedAgents } from "./inside/simulated-agents.ts";
import { processorTime, since } from "./processor-time.ts";
import { row, type Row } from "./result.ts";
import { timedRollout } from "./timed-rollout.ts";

const FULL = { servers: 48, warmUp: 4, rounds: 12 } as const;
const QUICK = { servers: 8, warmUp: 1, rounds: 3 } as const;
const RULES = 5;
const AGENTS_READY_WITHIN_MS = 60_000;

/**
 * How many applies the control plane carries when servers cost nothing: its own process, real PostgreSQL, TLS and signatures, and agents that
 * answer from memory. All servers are due at once; the rate is theirs until the last is APPLIED.
 */
export async function controlPlane(context: BenchContext): Promise<readonly Row[]> {
  const { servers, warmUp, rounds } = context.quick ? QUICK : FULL;
  const data = mkdtempSync("/var/tmp/holdfast-bench-");
  // The database's user must be able to enter it.
  chmodSync(data, 0o711);
  const port = await freePort();
  const socket = join(data, "http.sock");
  const control = new ControlInstance(
    { spawn: (argv, options) => new RunningProcess(argv, options) },
    {
      HOLDFAST_DATA_DIR: data,
      HOLDFAST_HTTP_SOCKET: socket,
      HOLDFAST_PUBLIC_URL: "http://127.0.0.1",
      HOLDFAST_METRICS_PORT: "0",
      HOLDFAST_AGENT_HOST: "127.0.0.1",
      HOLDFAST_AGENT_PORT: String(port),
      HOLDFAST_AGENT_NAMES: "127.0.0.1",
      HOLDFAST_ENROLMENT_APPROVAL: "off",
    },
  );
  const door = await Door.open(socket);
  let agents: RunningProcess | undefined;
  let events: EventTap | undefined;
  try {
    await control.ready(door.url);
    const login = await control.login;
    if (login === null) throw new Error(`the control plane says no login:\n${control.output}`);
    const { operator } = await Operator.first(door.url, login);
    const names = Array.from({ length: servers }, (_, at) => `host-${at + 1}`);
    const tokens = new Map<string, string>();
    for (const name of names) tokens.set(name, (await operator.expectServer(name, { role: "fleet" })).token);
    const known = await operator.servers();
    agents = await startAgents({
      port,
      caCertificate: readFileSync(join(data, "authority/authority.pem"), "utf8"),
      servers: known.map(({ id, name }) => ({ id, token: tokens.get(name) ?? "" })),
    });
    await operator.waitConnected(names);
    events = await EventTap.open(door.url, operator.token);
    const set = { name: "fleet", selector: "{ role: fleet }", rules: RULES, changed: 1 };
    await operator.apply("Begin", [floorText({ canary: servers }), policyText({ ...set, turn: 0 })]);
    const rates: number[] = [];
    const spent = { "control plane": [] as number[], PostgreSQL: [] as number[] };
    for (let turn = 1; turn <= warmUp + rounds; turn++) {
      const change = await operator.plan(`Turn ${turn}`, [policyText({ ...set, turn })]);
      const before = processorTime({ data, servers: [] });
      const { appliedMs } = await timedRollout(operator, events, change, servers);
      if (turn <= warmUp) continue;
      rates.push((servers * 1_000) / Math.max(...appliedMs));
      const used = since(before, processorTime({ data, servers: [] }));
      for (const who of ["control plane", "PostgreSQL"] as const) spent[who].push((used.get(who) ?? 0) / servers);
    }
    const part = "control plane alone";
    return [
      row(part, `applies of ${servers} simulated agents`, "applies/s", rates, { goal: "≥ 200/s" }),
      // A rate says how busy the machine was with others, too; this does not.
      row(part, "processor time of an apply, control plane", "ms", spent["control plane"]),
      row(part, "processor time of an apply, PostgreSQL", "ms", spent.PostgreSQL),
    ];
  } catch (error) {
    context.say(
      `The agents said last:\n${lastLines(agents?.output)}\nThe control plane:\n${lastLines(control.output)}`,
    );
    throw error;
  } finally {
    events?.close();
    await agents?.stop("SIGKILL");
    await control.stop();
    door.close();
    rmSync(data, { recursive: true, force: true });
  }
}

function lastLines(output = ""): string {
  return output.split("\n").slice(-20).join("\n");
}

function startAgents(instructions: SimulatedAgents): Promise<RunningProcess> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, "inside/simulated-agents.ts");
    const started: RunningProcess = new RunningProcess([nodeBinary, program, JSON.stringify(instructions)], {
      onLine: () => {
        clearTimeout(late);
        resolve(started);
      },
    });
    const late = setTimeout(() => void started.stop("SIGKILL"), AGENTS_READY_WITHIN_MS);
    void started.ended
      .finally(() => clearTimeout(late))
      .then(() => reject(new Error(`the simulated agents did not start:\n${started.output}`)));
  });
}

/** The agents dial it, so it must be known before the control plane starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
