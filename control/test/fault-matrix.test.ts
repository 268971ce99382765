/**
 * The fault table of docs/protocol, row by row, as the control plane lives through it: a real database, real TLS, and an agent whose ledger is
 * in memory. What only a real guard on a real disk can show is named as such and tried there.
 */
import { readFileSync } from "node:fs";
import type { ApplyId, ServerId } from "@holdfast/core/base/id.ts";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import type { Probe } from "@holdfast/core/plan/probe.ts";
import { type Method, SimulatedAgent, type WireFault } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import { insertReady } from "../src/store/apply-move.ts";
import { newId } from "../src/store/new-id.ts";
import type { ApplyRow } from "../src/store/tables.ts";
import { transaction } from "../src/store/transaction.ts";
import { MortalDatabase } from "./mortal-database.ts";
import { type Instance, type SagaHouse, withSagaHouse } from "./saga-house.ts";

interface Row {
  readonly row: number;
  readonly fault: string;
  readonly outcomes: readonly {
    readonly expectedState: string;
    readonly expectedEffect: string | null;
    readonly expectedServer: string;
  }[];
}

const TABLE = JSON.parse(
  readFileSync(new URL("../../docs/protocol/fault-table.json", import.meta.url), "utf8"),
) as readonly Row[];
const SSH: Probe = {
  id: "ssh",
  direction: "inbound",
  protocol: "tcp",
  address: "self",
  port: 22,
  expected: "open",
  origin: "floor",
};

/** A row may wait for the end of a lease, on a machine that is busy with other tests. */
const ROW_MS = 60_000;

interface Stage {
  readonly house: SagaHouse;
  readonly one: Instance;
  readonly server: ServerId;
  readonly agent: SimulatedAgent;
}
type Scenario = (stage: Stage) => Promise<ApplyRow>;

const plain: Scenario = async ({ house, server }) => house.ended((await house.apply(server)).id);

function wire(method: Method, ...faults: readonly WireFault[]): Scenario {
  return (stage) => {
    stage.agent.fault(method, ...faults);
    return plain(stage);
  };
}

function powerAfter(kind: LedgerKind): Scenario {
  return (stage) => {
    stage.agent.crashAfter = kind;
    return plain(stage);
  };
}

function stepFails(code: string): Scenario {
  return (stage) => {
    stage.agent.ledger.faults.failStep = { code, message: code };
    return plain(stage);
  };
}

function refused(code: string): Scenario {
  return (stage) => {
    stage.agent.ledger.faults.refusePrepare = { code, message: code };
    return plain(stage);
  };
}

/** On trial and waiting for a person; then something happens. */
function onTrial(happen: (stage: Stage, apply: ApplyRow) => Promise<void> | void): Scenario {
  return async (stage) => {
    const { house, server } = stage;
    const apply = await house.apply(server, { touches: true, person: true });
    await house.until(apply.id, (row) => row.phase === "on_trial" && row.lease_owner !== null);
    await happen(stage, apply);
    return house.ended(apply.id);
  };
}

/** The instance that the agent is connected to can be killed; `other` lives. */
function killable(arm: (stage: Stage, database: MortalDatabase) => void): Scenario {
  return async ({ house, one: other }) => {
    const database = new MortalDatabase(house.test.appTarget);
    const instance = await house.instance(database);
    const { server, agent } = await house.agent("killed-1", instance, { windowMs: 60_000 });
    await expect.poll(() => instance.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
    database.onDeath = () => {
      agent.port = other.gateway.port;
      void instance.close("drop").then(() => expire(house, instance));
    };
    arm({ house, one: instance, server, agent }, database);
    const ended = await house.ended((await house.apply(server, { windowSeconds: 60 })).id);
    await instance.close("drop");
    await database.close();
    return ended;
  };
}

async function expire(house: SagaHouse, instance: Instance): Promise<void> {
  await house.test.owner.run({
    text: "update holdfast.applies set lease_until = now() - interval '1 second' where lease_owner = $1",
    values: [instance.id],
  });
}

const SCENARIOS: Readonly<Record<number, Scenario | string>> = {
  1: killable((_stage, database) => database.dieAfter(0)),
  2: killable((_stage, database) => database.loseCommitOfClaim()),
  3: killable(({ agent }, database) => {
    agent.fault("prepare", "cut_before");
    agent.onCall = (method) => {
      if (method === "prepare") database.die();
    };
  }),
  4: async (stage) => {
    const { house, one, server, agent } = stage;
    agent.fault("prepare", "lose_request", "double");
    agent.fault("execute", "lose_request", "double");
    agent.fault("confirm", "lose_request", "late");
    const ended = await plain(stage);
    const before = { live: agent.ledger.live, generation: agent.ledger.generation };
    // Hours later the wire delivers all of it once more.
    const sentSoFar = agent.commands.slice();
    for (const command of sentSoFar) {
      const signed = house.signing.key.sign(command);
      const { client } = one.sessions.of(server) ?? { client: null };
      const again = {
        prepare: client?.prepare,
        execute: client?.execute,
        confirm: client?.confirm,
        abort: client?.abort,
        release: undefined,
        tunnel: undefined,
      };
      const call = command.verb.case === undefined ? undefined : again[command.verb.case];
      await call?.(signed).catch(() => undefined);
    }
    expect({ live: agent.ledger.live, generation: agent.ledger.generation }).toEqual(before);
    return ended;
  },
  5: wire("prepare", "lose_answer"),
  6: (stage) => {
    const { agent } = stage;
    agent.fault("prepare", "cut_before");
    let isFirst = true;
    agent.onCall = (method) => {
      if (method === "prepare" && isFirst) {
        isFirst = false;
        agent.powerCut();
      }
    };
    return plain(stage);
  },
  7: powerAfter("prepared"),
  8: stepFails("guard.interrupted"),
  9: powerAfter("step_begin"),
  10: (stage) => {
    stage.agent.crashAfter = "reverting";
    return stepFails("module.step_failed")(stage);
  },
  11: powerAfter("on_trial"),
  12: async ({ house, one }) => {
    const { server, agent } = await house.agent("cut-1", one, { windowMs: 1_000 });
    agent.isCutWhileLive = true;
    return house.ended((await house.apply(server, { windowSeconds: 1 })).id);
  },
  13: async ({ house, server, agent }) => {
    house.inbound.see = () => (agent.ledger.live === "found" ? "open" : "closed");
    return house.ended((await house.apply(server, { probes: [SSH] })).id);
  },
  14: killable(({ agent }, database) => {
    agent.fault("confirm", "cut_before");
    agent.onCall = (method) => {
      if (method === "confirm") database.die();
    };
  }),
  15: wire("confirm", "lose_request"),
  16: async ({ house, one }) => {
    const { server, agent } = await house.agent("deadline-1", one, { windowMs: 600 });
    agent.onCall = async (method) => {
      const open = agent.ledger.open;
      // As close to the deadline as a timer can be.
      if (method === "confirm" && open !== undefined)
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, open.deadlineMs - Date.now())));
    };
    return house.ended((await house.apply(server)).id);
  },
  17: wire("confirm", "lose_answer"),
  18: powerAfter("confirmed"),
  19: (stage) => {
    stage.agent.crashAfter = "reverting";
    return stepFails("verify.mismatch")(stage);
  },
  20: refused("ledger.unwritable"),
  21: stepFails("ledger.unwritable"),
  22: "the tail of a ledger is bytes on a disk: agent/src/ledger and the crash tests of e2e",
  23: (stage) => {
    stage.agent.ledger.faults.failRevert = true;
    return stepFails("server.snapshot_unreadable")(stage);
  },
  24: "the server's clock decides on the server, by CLOCK_BOOTTIME: e2e",
  25: onTrial(({ agent }) => {
    agent.stop();
    agent.ledger.undoNow("trial.deadline", Date.now());
    agent.start();
  }),
  26: stepFails("verify.mismatch"),
  27: (stage) => {
    stage.agent.ledger.faults.failRevert = true;
    return stepFails("module.step_failed")(stage);
  },
  28: onTrial(async ({ house, server }, open) => {
    const second = await transaction(house.database, (tx) =>
      insertReady(
        tx,
        {
          id: newId<ApplyId>(),
          changeId: open.change_id,
          rolloutId: open.rollout_id,
          serverId: server,
          planId: open.plan_id,
          wave: 0,
          revisions: [],
          requestedBy: house.author,
          retryOf: null,
        },
        house.by,
      ),
    );
    expect(second).toMatchObject({ ok: false, error: { code: "store.server_busy" } });
    await house.wish(open.id, "confirm");
  }),
  29: async ({ house, one: other }) => {
    const database = new MortalDatabase(house.test.appTarget);
    const zombie = await house.instance(database);
    const { server, agent } = await house.agent("zombie-1", zombie, { windowMs: 60_000 });
    let wake = (): void => undefined;
    agent.fault("confirm", "cut_after");
    agent.onCall = (method) => {
      if (method !== "confirm" || agent.port === other.gateway.port) return;
      database.gate = new Promise((resolve) => {
        wake = resolve;
      });
      agent.port = other.gateway.port;
    };
    const apply = await house.apply(server, { windowSeconds: 60 });
    await expect.poll(() => agent.calls.includes("confirm"), { timeout: 10_000 }).toBe(true);
    await expire(house, zombie);
    const ended = await house.ended(apply.id);
    wake();
    await zombie.close("hand_over");
    await database.close();
    expect(await house.read(apply.id)).toEqual(ended);
    return ended;
  },
  30: async (stage) => {
    const { house, one, server, agent } = stage;
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    agent.ledger.maxFence = 77;
    const ended = await plain(stage);
    expect((await house.readServer(server)).fence).toBeGreaterThan(77);
    return ended;
  },
  31: async ({ house, one, server, agent }) => {
    await expect.poll(() => one.sessions.of(server) !== undefined).toBe(true);
    const clone = new SimulatedAgent({ port: one.gateway.port, identity: agent.identity });
    clone.start();
    try {
      await expect
        .poll(async () => (await house.readServer(server)).locked_code, { timeout: 10_000 })
        .toBe("server.key_in_two_places");
      const apply = await house.apply(server);
      expect(agent.calls.concat(clone.calls)).toEqual([]);
      return await house.read(apply.id);
    } finally {
      clone.stop();
    }
  },
  32: refused("guard.certificate_expires"),
  33: onTrial(({ agent }) => agent.ledger.undoNow("verify.changed_on_trial", Date.now())),
  34: async ({ house, one }) => {
    const { server, agent } = await house.agent("alone-1", one, { windowMs: 1_500 });
    const apply = await house.apply(server, { touches: true, person: true });
    await house.until(apply.id, (row) => row.phase === "on_trial");
    await one.close("drop");
    await expect.poll(() => agent.ledger.live, { timeout: 10_000 }).toBe("found");
    await expire(house, one);
    const next = await house.instance();
    agent.port = next.gateway.port;
    return house.ended(apply.id);
  },
};

const printed: string[] = [];

test.each(TABLE.map((row) => [row.row, row.fault, row] as const))(
  "row %i: %s",
  async (number, fault, row) => {
    const scenario = SCENARIOS[number];
    if (scenario === undefined)
      throw new Error(`row ${number} of the fault table has no scenario and no reason why not`);
    if (typeof scenario === "string") {
      expect(scenario).not.toBe("");
      printed.push(`${number} | ${fault} | tried elsewhere: ${scenario}`);
      return;
    }
    await withSagaHouse(async (house) => {
      const one = await house.instance();
      const { server, agent } = await house.agent("web-1", one);
      const ended = await scenario({ house, one, server, agent });
      const seen = { expectedState: ended.state, expectedEffect: ended.effect, expectedServer: ended.server_is };
      printed.push(
        `${number} | ${fault} | ${ended.state} ${ended.effect ?? ""} | ${ended.server_is} | ${ended.code ?? ""}`,
      );
      expect(row.outcomes).toContainEqual(seen);
    });
  },
  ROW_MS,
);

test("every row was lived through or says where it is", () => {
  // oxlint-disable-next-line eslint/no-console -- the table is what this test is read for
  console.log(
    `row | fault | outcome | the server is | code\n${printed.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).join("\n")}`,
  );
  expect(printed).toHaveLength(TABLE.length);
});
