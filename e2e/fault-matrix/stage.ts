import { sql } from "@holdfast/control/store/sql.ts";
import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import type { ServerIs } from "@holdfast/core/apply/state.ts";
import { policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import type { House } from "@holdfast/testkit/house/house.ts";
import type { LedgerGate } from "@holdfast/testkit/house/ledger-gate.ts";
import { type ProbeVerdict, tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { until } from "@holdfast/testkit/until.ts";
import { z } from "zod";
import { type ApplyFacts, applyPlanned, type BegunApply, endOf, planOn } from "../one-apply.ts";

/** What an apply on one server came to, as the database says it and as the server shows it. */
export interface Ending {
  readonly row: ApplyFacts;
  /** By the kernel's own listing, before and after. */
  readonly kernel: "as_before" | "changed";
  /** The ledger's last word of the transaction. */
  readonly ledger: string | null;
  /** A visitor's new connection to what both policies allow. */
  readonly visitor: string;
}

/** What the floor of the matrix's house gives at most. */
export const MATRIX_TRIAL = { reconnect: 8, soak: 1, window: 24 } as const;

/** Trials of the matrix: the reconnect time is the floor's, the window as short as a busy machine allows. */
const TRIAL = { windowSeconds: 14 } as const;

const AT_REST_WITHIN_MS = 60_000;

/** One server that a fault happens to, in the middle of an ordinary change. Each fault leaves it at rest, whole and connected. */
export class Stage {
  readonly house: House;
  readonly server: HouseServer;
  /** The other servers of the house, to which the same may happen at the same time. */
  readonly others: readonly Stage[];
  #changes = 0;
  #before = "";

  constructor(house: House, server: HouseServer, others: readonly Stage[] = []) {
    this.house = house;
    this.server = server;
    this.others = others;
  }

  /** The first server of the house, with the others beside it. */
  static of(house: House): Stage {
    const [, ...others] = house.servers;
    return new Stage(
      house,
      house.first,
      others.map((server) => new Stage(house, server)),
    );
  }

  /** Holdfast's table in the kernel when the change was planned. */
  get tableBefore(): string {
    return this.#before;
  }

  /** A visitor's new connection to what every policy of the matrix allows. */
  visit(): Promise<ProbeVerdict> {
    return tcpConnect(this.house.networks.visitor, this.server.address, PORTS.app);
  }

  /** A change that differs from what is in force, whatever that is: the port that a rule allows. */
  nextPolicy(): string {
    this.#changes += 1;
    const extra = `allow: tcp/${20_000 + (Date.now() % 20_000) + this.#changes}, from: any`;
    return policyText({ server: this.server.name, inbound: { ...USUAL_RULES, extra } });
  }

  async plan(
    text = this.nextPolicy(),
    trial: { windowSeconds?: number; soakSeconds?: number } = TRIAL,
  ): Promise<ChangeDetail> {
    this.#before = await this.server.ownTable();
    return planOn(this.house, this.server, text, trial);
  }

  apply(change: ChangeDetail): Promise<BegunApply> {
    return applyPlanned(this.house, this.server, change);
  }

  async begin(text?: string, trial?: { windowSeconds?: number; soakSeconds?: number }): Promise<BegunApply> {
    return this.apply(await this.plan(text, trial));
  }

  /** Begins a change, stops it when the ledger has come to `kind`, does `act` there and lets go. */
  async at(
    kind: string,
    act: (begun: BegunApply, gate: LedgerGate) => Promise<void>,
    trial?: { windowSeconds?: number; soakSeconds?: number },
  ): Promise<BegunApply> {
    return this.inSteps(async (gate, change) => {
      await gate.hold();
      const begun = await this.apply(change);
      await gate.passTo(kind);
      await act(begun, gate);
      return begun;
    }, trial);
  }

  /** With a change planned and a gate at the ledger's door. */
  async inSteps<T>(
    act: (gate: LedgerGate, change: ChangeDetail) => Promise<T>,
    trial?: { windowSeconds?: number; soakSeconds?: number },
    text?: string,
  ): Promise<T> {
    const gate = await this.server.gate();
    try {
      return await act(gate, await this.plan(text, trial));
    } finally {
      await gate.close();
    }
  }

  /** Mends what is broken, waits for the end, and looks at the server from every side. */
  async end(begun: BegunApply): Promise<Ending> {
    await this.house.makeWhole();
    const row = await endOf(this.house, begun.applyId);
    const gate = await this.server.gate();
    const ledger = await gate.look();
    await gate.close();
    return {
      row,
      kernel: (await this.server.ownTable()) === this.#before ? "as_before" : "changed",
      ledger: row.request_id === ledger.requestId ? ledger.last : null,
      visitor: await this.visit(),
    };
  }

  /** Starts the agent anew and waits for its new session. */
  async restartAgent(change: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
    const session = (): Promise<{ session_id: string | null }> =>
      this.house.database.one(sql`select session_id from servers where name = ${this.server.name}`);
    const before = await session();
    await this.server.agent.stop();
    await change();
    await this.server.agent.restart();
    await until(
      `a new session of ${this.server.name}`,
      async () => {
        const now = await session();
        return now.session_id !== null && now.session_id !== before.session_id;
      },
      AT_REST_WITHIN_MS,
    );
  }

  /** Why the server takes no applies; null when it does. */
  async lock(): Promise<string | null> {
    const known = (await this.house.operator.servers()).find((server) => server.name === this.server.name);
    return known?.locked?.code ?? null;
  }

  /** Whole again, and no apply open. */
  async atRest(): Promise<void> {
    await this.house.makeWhole();
    const isOpen = sql`select from applies a join servers s on s.id = a.server_id where s.name = ${this.server.name} and a.state in ('READY', 'APPLYING', 'ROLLBACKING')`;
    await until(
      `no open apply on ${this.server.name}`,
      async () => (await this.house.database.rows(isOpen)).length === 0,
      AT_REST_WITHIN_MS,
    );
    // Last, for it may be this end that has locked the server.
    await this.rest();
  }

  /** Unlocks what a fault has locked, so that the next begins like the first. */
  async rest(): Promise<void> {
    await this.house.mend();
    if ((await this.lock()) !== null) {
      const body = { reason: "the test has looked" };
      await this.house.operator.call("unlockServer", { params: { name: this.server.name }, body, answer: z.unknown() });
    }
    await this.house.makeWhole();
  }
}

/** What the kernel must show for what the database says of the server. */
export function kernelOf(serverIs: ServerIs): Ending["kernel"] | null {
  switch (serverIs) {
    case "as_before":
      return "as_before";
    case "as_requested":
      return "changed";
    case "mixed":
    case "unknown":
      return null;
  }
}
