import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sql } from "@holdfast/control/store/sql.ts";
import { installAgent } from "../agents/install-agent.ts";
import { ControlInstance } from "../control-plane/control-instance.ts";
import { Operator } from "../operator/operator.ts";
import type { InsideProgram } from "../servers/inside-program.ts";
import { Lab } from "../servers/lab.ts";
import { listenAll } from "../servers/probes.ts";
import { Relay } from "../servers/relay.ts";
import { ASK_API_EVERY_MS, until } from "../until.ts";
import { Balancer } from "./balancer.ts";
import { floorText, policyText, PORTS, TEST_TRIAL, type TrialSeconds, USUAL_RULES } from "./documents.ts";
import { type DatabaseKind, HouseDatabase } from "./house-database.ts";
import {
  BALANCER_ADDRESS,
  buildNetworks,
  CONTROL_NETWORK,
  controlAddress,
  DIAL_ADDRESS,
  hiddenAddress,
  type HouseNetworks,
  routeOf,
  serverAddress,
  UNTOLD_DIAL_ADDRESS,
} from "./house-networks.ts";
import { HouseServer, type HouseServerSpec } from "./house-server.ts";
import { Wire } from "./wire.ts";

export interface HouseOptions {
  readonly servers: readonly HouseServerSpec[];
  /** More than one: they share a database that outlives them all. */
  readonly instances?: number;
  /** A load balancer before all instances: agents dial it, and the operator's requests come through it. */
  readonly balanced?: boolean;
  /** "own" is the control plane's embedded PostgreSQL; "debian" is Debian's, with its tools for backups. Default: own for one instance, else shared. */
  readonly database?: DatabaseKind;
  readonly trial?: TrialSeconds;
  /** The name by which browsers open the console; without it the address. A browser makes passkeys for names only. */
  readonly publicHost?: string;
  /** More of the control planes' environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A name that the servers know by their hosts file, instead of the address. */
  readonly dialName?: string;
  /** false: the servers are enrolled and nothing has been applied. */
  readonly furnished?: boolean;
}

const AGENT_PORT = 7081;
const HTTP_PORT = 7080;
const METRICS_PORT = 7082;
/** What the balancer calls the instances. */
const BALANCED: readonly string[] = ["one", "two"];

/** A database that comes back, a control plane that starts, an agent that dials with growing pauses. */
const WHOLE_WITHIN_MS = 60_000;

let opened = 0;

/**
 * A whole house for tests: control planes, PostgreSQL, a router that can lose what passes, servers with real agents, an operator. Everything
 * can be killed. Must be closed.
 */
export class House {
  readonly lab: Lab;
  readonly networks: HouseNetworks;
  readonly servers: readonly HouseServer[];
  readonly database: HouseDatabase;
  readonly wire: Wire;
  readonly #options: HouseOptions;
  readonly #data: string;
  readonly #controls: (ControlInstance | null)[] = [];
  readonly #doors: Relay[] = [];
  #balancer: Balancer | undefined;
  /** The way to whichever instance the balancer chooses. */
  #front: Relay | undefined;
  readonly #listeners = new Map<string, InsideProgram>();
  #operator: Operator | undefined;

  private constructor(
    lab: Lab,
    options: HouseOptions,
    data: string,
    networks: HouseNetworks,
    servers: readonly HouseServer[],
    database: HouseDatabase,
  ) {
    this.lab = lab;
    this.#options = options;
    this.#data = data;
    this.networks = networks;
    this.servers = servers;
    this.database = database;
    const agents = servers.map((server) => server.machine.node);
    this.wire = new Wire(
      { router: networks.router, controls: networks.controls, agents },
      [DIAL_ADDRESS, UNTOLD_DIAL_ADDRESS],
      AGENT_PORT,
    );
  }

  static async open(options: HouseOptions): Promise<House> {
    // The database's user must be able to enter it.
    const data = mkdtempSync("/var/tmp/holdfast-house-");
    chmodSync(data, 0o711);
    const lab = Lab.open({ prefix: `hfe-${process.pid}-${++opened}`, hidden: [data] });
    let house: House | undefined;
    try {
      const instances = options.instances ?? 1;
      const networks = await buildNetworks(lab, {
        controls: instances,
        hidden: options.servers.some((one) => one.behindNat === true),
        balancer: options.balanced === true,
      });
      const servers = options.servers.map((spec, index) => makeServer(lab, networks, spec, index));
      const database = await HouseDatabase.open(
        options.database ?? (instances > 1 ? "shared" : "own"),
        join(data, "1"),
      );
      house = new House(lab, options, data, networks, servers, database);
      await house.#furnish();
      return house;
    } catch (error) {
      await house?.close();
      await lab.close();
      rmSync(data, { recursive: true, force: true });
      throw error;
    }
  }

  get operator(): Operator {
    if (this.#operator === undefined)
      throw new Error("the house has no operator yet: its control plane has not started");
    return this.#operator;
  }

  /** The first control plane's output so far; its log lines. */
  controlOutput(index = 0): string {
    return this.#controls[index]?.output ?? "";
  }

  server(name: string): HouseServer {
    const found = this.servers.find((server) => server.name === name);
    if (found === undefined) throw new Error(`there is no server ${name} in this house`);
    return found;
  }

  get first(): HouseServer {
    const [first] = this.servers;
    if (first === undefined) throw new Error("this house has no server");
    return first;
  }

  /** Where control plane number `index` keeps its keys. */
  dataOf(index: number): string {
    return join(this.#data, String(index + 1));
  }

  async startControl(index = 0): Promise<ControlInstance> {
    const place = this.networks.controls[index];
    const door = this.#doors[index];
    if (place === undefined || door === undefined) throw new Error(`there is no control plane ${index} in this house`);
    const url = `http://127.0.0.1:${door.port}`;
    const instance = new ControlInstance(place, {
      HOLDFAST_DATA_DIR: this.dataOf(index),
      HOLDFAST_HTTP_PORT: String(HTTP_PORT),
      HOLDFAST_AGENT_PORT: String(AGENT_PORT),
      HOLDFAST_METRICS_PORT: String(METRICS_PORT),
      HOLDFAST_AGENT_NAMES: this.#options.dialName ?? DIAL_ADDRESS,
      HOLDFAST_PUBLIC_URL: `http://${this.#options.publicHost ?? "127.0.0.1"}:${door.port}`,
      HOLDFAST_ENROLMENT_APPROVAL: "off",
      ...(this.#front === undefined ? {} : behindBalancer(this.#front.port)),
      ...this.database.environment,
      ...this.#options.environment,
    });
    this.#controls[index] = instance;
    await instance.ready(url);
    const balancer = this.#balancer;
    const name = BALANCED[index];
    if (balancer !== undefined && name !== undefined)
      await until("the balancer to send somebody there", () => balancer.sendsTo(name), WHOLE_WITHIN_MS);
    return instance;
  }

  /** SIGKILL; resolves when the process is gone. */
  async killControl(index = 0): Promise<void> {
    const instance = this.#controls[index];
    instance?.signal("SIGKILL");
    await instance?.ended;
  }

  /** In order: it lets go of its work first. */
  async stopControl(index = 0): Promise<void> {
    await this.#controls[index]?.stop();
  }

  /** All of them, in order. */
  async stopControls(): Promise<void> {
    for (const instance of this.#controls) await instance?.stop();
  }

  /** SIGSTOP and SIGCONT make a zombie of it: alive, and with an old idea of the world. */
  signalControl(signal: NodeJS.Signals, index = 0): void {
    this.#controls[index]?.signal(signal);
  }

  isControlRunning(index = 0): boolean {
    return this.#controls[index]?.running ?? false;
  }

  /** Which instance holds the server's session now, by what it said when it began. */
  async holderOf(server: HouseServer): Promise<number> {
    const { session_id: session } = await this.database.one<{ session_id: string | null }>(
      sql`select session_id from servers where name = ${server.name}`,
    );
    const index = session === null ? -1 : this.#controls.findIndex((one) => one?.output.includes(session) === true);
    if (index < 0) throw new Error(`no instance says that it holds session ${session ?? "none"} of ${server.name}`);
    return index;
  }

  /** Talks to one instance, past the balancer. */
  operatorAt(index: number): Operator {
    return new Operator(`http://127.0.0.1:${this.#doors[index]?.port ?? 0}`, this.operator.token);
  }

  /** Mends whatever a test has broken: wires, control planes, machines. */
  async mend(): Promise<void> {
    await this.wire.heal();
    for (const [index, instance] of this.#controls.entries()) {
      instance?.signal("SIGCONT");
      if (instance?.running !== true) await this.startControl(index);
    }
    for (const server of this.servers) {
      if (!server.machine.isUp) await this.bootAgain(server);
      await this.listen(server);
    }
  }

  /** Mends everything, and waits until every server is connected again. */
  async makeWhole(): Promise<void> {
    await this.mend();
    await until(
      "every server to be connected again",
      async () =>
        (await this.operator.servers().catch(() => [])).filter((server) => server.connected).length ===
        this.servers.length,
      WHOLE_WITHIN_MS,
      ASK_API_EVERY_MS,
    );
  }

  /** After a power cut. A plain server has no init system that would start the agent. */
  async bootAgain(server: HouseServer): Promise<void> {
    await server.machine.startAgain();
    if (server.machine.kind === "plain") await server.agent.restart();
  }

  /** Somebody answers on the server's ports again, after a boot. */
  async listen(server: HouseServer): Promise<void> {
    if (this.#listeners.get(server.name)?.running === true) return;
    const { ssh, app, other, http } = PORTS;
    this.#listeners.set(
      server.name,
      await listenAll(server.machine, { tcp: [ssh, app, other], udp: [app], http: [http] }),
    );
  }

  async close(): Promise<void> {
    await this.stopControls();
    await this.database.close();
    await Promise.allSettled(this.#doors.map((door) => door.close()));
    await this.#front?.close();
    await this.lab.close();
    rmSync(this.#data, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #furnish(): Promise<void> {
    for (const [index, place] of this.networks.controls.entries()) {
      this.#doors[index] = await Relay.into(this.lab, { host: "127.0.0.1", port: 0 }, place, {
        host: "127.0.0.1",
        port: HTTP_PORT,
      });
    }
    await this.wire.leadTo(controlAddress(0));
    const { balancer } = this.networks;
    if (balancer !== null) {
      this.#balancer = await Balancer.start(balancer);
      const inside = { host: "127.0.0.1", port: HTTP_PORT };
      this.#front = await Relay.into(this.lab, { host: "127.0.0.1", port: 0 }, balancer, inside);
    }
    const starting = Promise.all(this.servers.map((server) => this.#boot(server)));
    const first = await this.startControl(0);
    const login = await first.login;
    if (login === null) throw new Error(`the control plane of a new house has no login:\n${first.output}`);
    const { operator } = await Operator.first(`http://127.0.0.1:${this.#doors[0]?.port ?? 0}`, login);
    this.#operator =
      this.#front === undefined ? operator : new Operator(`http://127.0.0.1:${this.#front.port}`, operator.token);
    for (let index = 1; index < this.networks.controls.length; index++) {
      for (const keys of ["authority", "signer/command-key.pem"])
        cpSync(join(this.dataOf(0), keys), join(this.dataOf(index), keys), { recursive: true });
      await this.startControl(index);
    }
    if (this.#front !== undefined) await answersThrough(this.operator);
    await starting;
    for (const server of this.servers) {
      const enrolment = await this.operator.expectServer(server.name, server.labels);
      server.agent = await installAgent(server.machine, enrolment, { managementNetworks: [CONTROL_NETWORK] });
    }
    await this.operator.waitConnected(this.servers.map((server) => server.name));
    if (this.#options.furnished !== false) await this.#applyUsual();
  }

  /** The history that most tests begin with: observing first, then the usual rules enforced, on every server. */
  async #applyUsual(): Promise<void> {
    const usual = (mode: "observe" | "enforce"): readonly string[] =>
      this.servers.map((server) => policyText({ server: server.name, mode, inbound: USUAL_RULES }));
    await this.operator.apply("Observe first", [floorText(this.#options.trial ?? TEST_TRIAL), ...usual("observe")]);
    await this.operator.apply("Enforce the usual rules", usual("enforce"));
  }

  async #boot(server: HouseServer): Promise<void> {
    await server.machine.start();
    if (this.#options.dialName !== undefined) {
      const hosts = (await server.machine.readFile("/etc/hosts")) ?? "";
      await server.machine.writeFile("/etc/hosts", `${hosts}${DIAL_ADDRESS} ${this.#options.dialName}\n`);
    }
    await this.listen(server);
  }
}

/** What an instance is told that stands behind the balancer. */
function behindBalancer(port: number): Readonly<Record<string, string>> {
  return {
    HOLDFAST_HTTP_HOST: "0.0.0.0",
    HOLDFAST_AGENT_NAMES: BALANCER_ADDRESS,
    HOLDFAST_PUBLIC_URL: `http://127.0.0.1:${port}`,
    HOLDFAST_TRUSTED_PROXIES: BALANCER_ADDRESS,
  };
}

/** The balancer has seen for itself that somebody is there. */
async function answersThrough(operator: Operator): Promise<void> {
  await until(
    "an answer through the balancer",
    () =>
      operator.servers().then(
        () => true,
        () => false,
      ),
    WHOLE_WITHIN_MS,
    ASK_API_EVERY_MS,
  );
}

function makeServer(lab: Lab, networks: HouseNetworks, spec: HouseServerSpec, index: number): HouseServer {
  const hidden = spec.behindNat === true ? networks.hidden : null;
  const address = hidden === null ? serverAddress(index) : hiddenAddress(index);
  const machine = lab.server({
    name: spec.name,
    kind: spec.kind ?? "systemd",
    attachments: [{ network: hidden ?? networks.lan, interface: "eth0", addresses: [address] }],
    routes: routeOf(hidden !== null),
    ...(spec.addressing === undefined ? {} : { addressing: spec.addressing }),
  });
  return new HouseServer(spec, machine, address);
}
