import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import { serverDetailSchema } from "@holdfast/core/api/server.ts";
import { installAgent, type InstalledAgent } from "@holdfast/testkit/agents/install-agent.ts";
import { ControlInstance } from "@holdfast/testkit/control-plane/control-instance.ts";
import { Operator } from "@holdfast/testkit/operator/operator.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabNode } from "@holdfast/testkit/servers/node.ts";
import type { ServerKind } from "@holdfast/testkit/servers/server-kind.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { CLIENT_ADDRESS, CONTROL_ADDRESS, floorText, serverAddress, STREET } from "./documents.ts";
import { Door } from "./door.ts";
import { EventTap } from "./event-tap.ts";
import { type ProcessorTime, processorTime } from "./processor-time.ts";
import { type TimedRollout, timedRollout } from "./timed-rollout.ts";

export interface BenchServerSpec {
  readonly name: string;
  readonly kind: ServerKind;
  readonly labels?: Readonly<Record<string, string>>;
  /** How often its agent looks for drift by itself; left out: as it is installed. */
  readonly driftSeconds?: number;
}

export interface BenchServer {
  readonly name: string;
  readonly address: string;
  readonly machine: LabServer;
  readonly agent: InstalledAgent;
}

/** Servers that are made and enrolled at once: more only wait for each other's processors. */
const TOGETHER = 4;
/** Milliseconds. A server whose first look has not come by then does not hold the others up. */
const LOOKED_AT_WITHIN_MS = 60_000;
const POLL_MS = 500;
/** How often a plan that did not reach every server is made again. */
const MORE_PLANS = 4;

let opened = 0;

/**
 * One control plane with its embedded PostgreSQL, real servers with real agents, a client, all on one street. Nothing of it is a double; only
 * the way of the API to this process is a socket file instead of a network. Must be closed.
 */
export class BenchHouse {
  readonly client: LabNode;
  readonly servers: readonly BenchServer[];
  readonly operator: Operator;
  readonly events: EventTap;
  readonly #data: string;
  readonly #closing: readonly (() => Promise<void> | void)[];

  private constructor(
    data: string,
    client: LabNode,
    servers: readonly BenchServer[],
    operator: Operator,
    events: EventTap,
    closing: readonly (() => Promise<void> | void)[],
  ) {
    this.#data = data;
    this.client = client;
    this.servers = servers;
    this.operator = operator;
    this.events = events;
    this.#closing = closing;
  }

  static async open(
    specs: readonly BenchServerSpec[],
    controlEnvironment: Readonly<Record<string, string>> = {},
  ): Promise<BenchHouse> {
    const closing: (() => Promise<void> | void)[] = [];
    try {
      return await furnish(specs, controlEnvironment, closing, (...parts) => new BenchHouse(...parts, closing));
    } catch (error) {
      await closeAll(closing);
      throw error;
    }
  }

  get first(): BenchServer {
    const [first] = this.servers;
    if (first === undefined) throw new Error("this house has no server");
    return first;
  }

  /** Milliseconds of processor time so far, by what spent them. */
  processorTime(): ProcessorTime {
    return processorTime({ data: this.#data, servers: this.servers.map(({ machine }) => machine.initPid) });
  }

  /** The history that a measured server begins with: the rules observed first, then enforced. */
  async apply(title: string, texts: readonly string[]): Promise<void> {
    const { operator } = this;
    const rollout = await operator.applyPlanned(await this.#plan(title, [floorText({ canary: 1 }), ...texts]));
    if (rollout !== null) await operator.seeApplied(title, rollout);
  }

  /**
   * Plans, then applies with the clock running: from the call of the API until the event that says APPLIED has come for each of `servers`.
   * Answers with milliseconds: of the plan, of each server's end, and of what moved between.
   */
  async timedApply(title: string, text: string, servers: number): Promise<TimedApply> {
    const beganPlan = performance.now();
    const change = await this.#plan(title, [text]);
    const planMs = performance.now() - beganPlan;
    return { planMs, ...(await timedRollout(this.operator, this.events, change, servers)) };
  }

  /** In two parts, for who does something between plan and apply. */
  async timedApplyAfter(title: string, text: string, between: () => Promise<void>): Promise<TimedApply> {
    const change = await this.#plan(title, [text]);
    await between();
    return { planMs: 0, ...(await timedRollout(this.operator, this.events, change, 1)) };
  }

  /** Fifty modules that start at once on one machine can take longer than a plan waits. Whoever reads that plans again. */
  async #plan(title: string, texts: readonly string[]): Promise<ChangeDetail> {
    let change = await this.operator.plan(title, texts);
    for (let more = MORE_PLANS; more > 0 && unreached(change).length > 0; more--)
      change = await this.operator.planAgain(change);
    const left = unreached(change);
    if (left.length > 0) throw new Error(`"${title}" could not be planned on ${left.join(", ")}`);
    return change;
  }

  async close(): Promise<void> {
    await closeAll(this.#closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface TimedApply extends TimedRollout {
  readonly planMs: number;
}

function unreached({ plans }: ChangeDetail): readonly string[] {
  return plans.filter(({ status }) => status === "unreachable").map(({ server }) => server);
}

async function furnish(
  specs: readonly BenchServerSpec[],
  controlEnvironment: Readonly<Record<string, string>>,
  closing: (() => Promise<void> | void)[],
  make: (
    data: string,
    client: LabNode,
    servers: readonly BenchServer[],
    operator: Operator,
    events: EventTap,
  ) => BenchHouse,
): Promise<BenchHouse> {
  const data = mkdtempSync("/var/tmp/holdfast-bench-");
  closing.push(() => rmSync(data, { recursive: true, force: true }));
  // The database's user must be able to enter it.
  chmodSync(data, 0o711);
  const lab = Lab.open({ prefix: `hfb-${process.pid}-${++opened}`, hidden: [data] });
  closing.push(() => lab.close());
  const street = await lab.network({ name: "street", subnet4: STREET });
  const at = (name: string, address: string) => ({
    name,
    attachments: [{ network: street, interface: "eth0", addresses: [address] }],
  });
  const place = await lab.bare(at("control", CONTROL_ADDRESS));
  const client = await lab.bare(at("client", CLIENT_ADDRESS));

  const socket = join(data, "http.sock");
  const control = new ControlInstance(place, {
    HOLDFAST_DATA_DIR: data,
    HOLDFAST_HTTP_SOCKET: socket,
    HOLDFAST_PUBLIC_URL: "http://127.0.0.1",
    HOLDFAST_METRICS_PORT: "0",
    HOLDFAST_AGENT_NAMES: CONTROL_ADDRESS,
    HOLDFAST_ENROLMENT_APPROVAL: "off",
    ...controlEnvironment,
  });
  closing.push(() => control.stop());
  const door = await Door.open(socket);
  closing.push(() => door.close());
  await control.ready(door.url);
  const login = await control.login;
  if (login === null) throw new Error(`the control plane says no login:\n${control.output}`);
  const { operator } = await Operator.first(door.url, login);
  const servers = await inTurns(specs, TOGETHER, async (spec, index): Promise<BenchServer> => {
    const address = serverAddress(index);
    const machine = lab.server({
      ...at(spec.name, address),
      kind: spec.kind,
      enable: spec.kind === "systemd" ? ["ssh"] : [],
    });
    await machine.start();
    const enrolment = await operator.expectServer(spec.name, spec.labels ?? {});
    if (spec.driftSeconds !== undefined)
      await machine.writeFile("/etc/holdfast/agent.json", JSON.stringify({ driftSeconds: spec.driftSeconds }));
    const agent = await installAgent(machine, enrolment);
    await lookedAt(operator, spec.name);
    return { name: spec.name, address, machine, agent };
  });
  await operator.waitConnected(specs.map(({ name }) => name));
  const events = await EventTap.open(door.url, operator.token);
  closing.push(() => events.close());
  return make(data, client, servers, operator, events);
}

async function closeAll(closing: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const step of closing.toReversed())
    await Promise.resolve(step()).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
}

/**
 * A server's first session has all its domains looked at, which starts its modules. Who enrols the next before that is done has fifty of them
 * start at once, and measures that.
 */
async function lookedAt(operator: Operator, name: string): Promise<void> {
  const deadline = performance.now() + LOOKED_AT_WITHIN_MS;
  do {
    const { lacksAt } = await operator.call("getServer", { params: { name }, answer: serverDetailSchema });
    if (lacksAt !== null) return;
    await sleep(POLL_MS);
  } while (performance.now() < deadline);
}

/** At most `together` at a time, results in the order of the items. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  together: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const item = items[index];
      if (item === undefined) return;
      results[index] = await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, items.length) }, worker));
  return results;
}
