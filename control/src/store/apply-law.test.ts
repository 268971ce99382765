import { APPLY_STATES, EFFECTS, mayMove, type ApplyState, type Effect } from "@holdfast/core/apply/state.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
/** The database's trigger against core's table: every pair of states and effects, then what each state needs as evidence. */
import pg from "pg";
import { expect, test } from "vitest";
import { clientConfig } from "./database.ts";
import type { ApplyRow, HostTransactionRow, Outcome } from "./tables.ts";

interface Place {
  readonly state: ApplyState;
  readonly effect: Effect | null;
}

const PLACES: readonly Place[] = APPLY_STATES.filter((state) => state !== "DRAFT").flatMap((state): Place[] =>
  state === "FAILED" ? EFFECTS.map((effect) => ({ state, effect })) : [{ state, effect: null }],
);

interface Evidence {
  readonly forward: Outcome | null;
  readonly rollback: Outcome | null;
}

/** What the servers have said, such that the state alone decides. */
function fitting(to: Place): Evidence {
  if (to.state === "APPLIED") return { forward: "finalized", rollback: null };
  if (to.state === "ROLLED_BACK") return { forward: "reverted", rollback: null };
  return { forward: null, rollback: null };
}

const name = (place: Place): string => place.state + (place.effect === null ? "" : `(${place.effect})`);
const isOpen = ({ state }: Place): boolean => state === "APPLYING" || state === "ROLLBACKING";
const serverIs = ({ state, effect }: Place): string =>
  state === "APPLIED" ? "as_requested" : state === "FAILED" && effect !== "none" ? "unknown" : "as_before";

/** Puts the apply somewhere past all triggers, as only a superuser can, and then tries one step as anybody would. */
class Bench {
  readonly #client: pg.Client;
  readonly #apply: ApplyRow;
  readonly #sent: HostTransactionRow;

  constructor(client: pg.Client, apply: ApplyRow, sent: HostTransactionRow) {
    this.#client = client;
    this.#apply = apply;
    this.#sent = sent;
  }

  async accepts(from: Place, to: Place, evidence: Evidence): Promise<boolean> {
    const { id } = this.#apply;
    await this.#client.query("begin");
    try {
      await this.#client.query("set local session_replication_role = replica");
      await this.#client.query("update host_transactions set outcome = $2 where apply_id = $1", [id, evidence.forward]);
      if (evidence.rollback !== null) {
        await this.#client.query(
          `insert into host_transactions (request_id, apply_id, server_id, kind, plan_id, fence, nonce, config_digest, plan_digest, outcome)
           select gen_random_uuid(), apply_id, server_id, 'rollback', plan_id, fence, nonce, config_digest, plan_digest, $2
           from host_transactions where request_id = $1`,
          [this.#sent.request_id, evidence.rollback],
        );
      }
      await this.#put(from, 0);
      await this.#client.query("set local session_replication_role = origin");
      await this.#put(to, 1);
      return true;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === "HF001") return false;
      throw error;
    } finally {
      await this.#client.query("rollback");
    }
  }

  async #put(place: Place, step: number): Promise<void> {
    await this.#client.query(
      `update applies set state = $2, effect = $3, phase = $4, server_is = $5, version = version + $6, lease_owner = null, lease_until = null
       where id = $1`,
      [this.#apply.id, place.state, place.effect, isOpen(place) ? "dispatched" : null, serverIs(place), step],
    );
  }
}

async function onBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  await withDatabase(async ({ app, superuserTarget }) => {
    const house = await storedHouse(app);
    const { apply, sent } = await house.applying(await house.server("web-1"));
    const client = new pg.Client(clientConfig(superuserTarget));
    await client.connect();
    try {
      await body(new Bench(client, apply, sent));
    } finally {
      await client.end();
    }
  });
}

// I13.
test("S15: the database allows exactly the steps of core's table", async () => {
  await onBench(async (bench) => {
    const found: string[] = [];
    const lawful: string[] = [];
    for (const from of PLACES) {
      for (const to of PLACES) {
        if (name(from) === name(to)) continue;
        const step = `${name(from)} -> ${name(to)}`;
        // FAILED says what was left behind: from APPLYING nothing was changed, from ROLLBACKING something was.
        const effectFits = to.state !== "FAILED" || (from.state === "APPLYING") === (to.effect === "none");
        if (mayMove(from.state, to.state, from.effect) && effectFits) lawful.push(step);
        if (await bench.accepts(from, to, fitting(to))) found.push(step);
      }
    }
    expect(found).toEqual(lawful);
    expect(lawful).toHaveLength(12);
  });
});

// I1, I2.
test("a state that claims something about the server needs the server's word", async () => {
  const outcomes = [null, "finalized", "reverted", "revert_failed", "refused"] as const;
  const applying: Place = { state: "APPLYING", effect: null };
  const rollbacking: Place = { state: "ROLLBACKING", effect: null };
  await onBench(async (bench) => {
    const accepted: string[] = [];
    for (const forward of outcomes) {
      for (const rollback of outcomes) {
        const evidence = { forward, rollback };
        const steps = [
          [applying, { state: "APPLIED", effect: null }],
          [applying, { state: "FAILED", effect: "none" }],
          [rollbacking, { state: "APPLIED", effect: null }],
          [rollbacking, { state: "ROLLED_BACK", effect: null }],
        ] as const;
        for (const [from, to] of steps) {
          if (rollback !== null && from === applying) continue;
          if (await bench.accepts(from, to, evidence))
            accepted.push(`${name(from)} -> ${name(to)}: ${forward} ${rollback}`);
        }
      }
    }
    expect(accepted.sort()).toEqual(
      [
        "APPLYING -> APPLIED: finalized null",
        "APPLYING -> FAILED(none): null null",
        "APPLYING -> FAILED(none): reverted null",
        "APPLYING -> FAILED(none): refused null",
        "ROLLBACKING -> APPLIED: finalized null",
        "ROLLBACKING -> APPLIED: finalized reverted",
        "ROLLBACKING -> APPLIED: finalized revert_failed",
        "ROLLBACKING -> APPLIED: finalized refused",
        ...outcomes.map((forward) => `ROLLBACKING -> ROLLED_BACK: ${forward} finalized`),
        ...outcomes.flatMap((rollback) =>
          rollback === "finalized"
            ? []
            : [`ROLLBACKING -> ROLLED_BACK: reverted ${rollback}`, `ROLLBACKING -> ROLLED_BACK: refused ${rollback}`],
        ),
      ].sort(),
    );
  });
});
