import type { AgentRole, InstalledAgent } from "../agents/install-agent.ts";
import type { ServerKind } from "../servers/server-kind.ts";
import type { LabServer } from "../servers/server.ts";
import { signalAgent } from "./agent-processes.ts";
import { LedgerGate } from "./ledger-gate.ts";

export interface HouseServerSpec {
  readonly name: string;
  readonly kind?: ServerKind;
  readonly labels?: Readonly<Record<string, string>>;
  /** It can dial out, and nobody can dial it. */
  readonly behindNat?: boolean;
  /** "networkd": it sets its own network up, and Holdfast may. Default: the lab does, and nobody inside. */
  readonly addressing?: "networkd";
}

const TABLE = "holdfast";

/** One managed server of a house: the machine, and what Holdfast is on it. */
export class HouseServer {
  readonly name: string;
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly behindNat: boolean;
  readonly machine: LabServer;
  #agent: InstalledAgent | undefined;

  constructor(spec: HouseServerSpec, machine: LabServer, address: string) {
    this.name = spec.name;
    this.labels = spec.labels ?? {};
    this.behindNat = spec.behindNat ?? false;
    this.machine = machine;
    this.address = address;
  }

  get agent(): InstalledAgent {
    if (this.#agent === undefined) throw new Error(`${this.name} has no agent yet`);
    return this.#agent;
  }

  set agent(agent: InstalledAgent) {
    this.#agent = agent;
  }

  /** Whatever the kernel holds, Holdfast's table and others', without what changes by itself. */
  async ruleset(): Promise<string> {
    return stable(await this.machine.must(["nft", "list", "ruleset"]));
  }

  /** Holdfast's own table; empty when there is none. */
  async ownTable(): Promise<string> {
    const listed = await this.machine.exec(["nft", "list", "table", "inet", TABLE]);
    return listed.code === 0 ? stable(listed.stdout) : "";
  }

  /** SIGKILL, or another signal; answers with how many processes there were. */
  kill(role: AgentRole, signal: NodeJS.Signals = "SIGKILL"): number {
    return signalAgent(this.machine, role, signal);
  }

  /** What Holdfast's own programs wrote last on this server, for a test that failed. */
  async lastWords(): Promise<string> {
    if (!this.machine.isUp) return `${this.name} is off`;
    const ledger = await this.agent.run("why");
    const log = await this.machine.exec([
      "journalctl",
      "--no-pager",
      "--output=short-precise",
      "--lines=60",
      "_TRANSPORT=stdout",
      "_TRANSPORT=journal",
    ]);
    return `${ledger.stdout}${ledger.stderr}\n${log.stdout}`;
  }

  gate(): Promise<LedgerGate> {
    return LedgerGate.open(this.machine);
  }
}

/** Counters count, expiry runs, and named counters are listed in the order in which they were made: none of it is what the ruleset does. */
function stable(listing: string): string {
  const still = listing.replace(/packets \d+ bytes \d+/g, "packets N bytes N").replace(/ expires [0-9a-z]+/g, "");
  const counters = [...still.matchAll(COUNTER)].map(([block]) => block).toSorted();
  return still.replace(COUNTER, "") + counters.join("");
}

const COUNTER = /^\tcounter \S+ \{\n\t\t.*\n\t\}\n\n?/gm;
