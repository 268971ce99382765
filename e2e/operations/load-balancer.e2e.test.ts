/**
 * Two control planes on one PostgreSQL behind the HAProxy configuration of deploy/haproxy, on real servers: agents and people know one address only.
 * docs/operations/several-control-planes.md
 */
import { sql } from "@holdfast/control/store/sql.ts";
import { BALANCER_ADDRESS } from "@holdfast/testkit/house/house-networks.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kernelOf, Stage } from "../fault-matrix/stage.ts";
import { type BegunApply, endOf } from "../one-apply.ts";

let house: House;
let stages: readonly Stage[];

beforeAll(async () => {
  house = await House.open({
    instances: 2,
    balanced: true,
    trial: { reconnect: 10, soak: 1, window: 30 },
    servers: [
      { name: "web-1", kind: "systemd" },
      { name: "web-2", kind: "plain" },
    ],
  });
  stages = house.servers.map((server) => new Stage(house, server));
}, 240_000);
afterAll(() => house.close(), 60_000);

const [first, second] = [(): Stage => stages[0] as Stage, (): Stage => stages[1] as Stage];

/** The window of a trial in these tests: a dead instance is noticed and its lease taken over in less. */
const TRIAL = { windowSeconds: 30 } as const;

/** What the database says at the end is what the server shows: nothing in between, nothing unknown. */
async function wholeEnd(stage: Stage, begun: BegunApply): Promise<string> {
  const row = await endOf(house, begun.applyId);
  const said = `${row.state} ${row.server_is}`;
  expect(["APPLIED as_requested", "ROLLED_BACK as_before"], row.message ?? "").toContain(said);
  const kernel = (await stage.server.ownTable()) === stage.tableBefore ? "as_before" : "changed";
  expect(kernel, said).toBe(kernelOf(row.server_is));
  expect(await stage.visit()).toBe("open");
  return row.state;
}

test("agents are shared out over both, people are answered by both, and an apply on each server ends well", async () => {
  // Whoever dials goes to the one with fewer connections.
  await second().restartAgent();
  expect(new Set(await Promise.all(house.servers.map((server) => house.holderOf(server)))).size).toBe(2);
  const begun = [await first().begin(undefined, TRIAL), await second().begin(undefined, TRIAL)] as const;
  expect(await wholeEnd(first(), begun[0])).toBe("APPLIED");
  expect(await wholeEnd(second(), begun[1])).toBe("APPLIED");
  // The audit log has the address of the person who asked, not the balancer's. Of an agent it has the balancer's: that way is not opened.
  const sources = await house.database.rows<{ source: string }>(
    sql`select distinct source from audit_log where action like 'change.%' and source <> ''`,
  );
  expect(sources).not.toEqual([]);
  expect(sources.map(({ source }) => source).filter((source) => source.includes(BALANCER_ADDRESS))).toEqual([]);
});

test.each(["step_done", "on_trial"])(
  "the instance that has the work is killed at %s: the other goes on behind the same address, or the server undoes",
  { timeout: 240_000 },
  async (record) => {
    const stage = first();
    // On trial the agent dials anew, perhaps the other one: the work is still whose session it was.
    const killed = await house.holderOf(stage.server);
    const begun = await stage.at(record, () => house.killControl(killed), TRIAL);
    // It stays dead until the apply has ended: who asks is answered by the other.
    process.stdout.write(`killed at ${record}: ${await wholeEnd(stage, begun)}\n`);
    expect(house.isControlRunning(killed)).toBe(false);
    await house.operator.waitConnected(house.servers.map(({ name }) => name));
    expect(await house.holderOf(stage.server)).not.toBe(killed);
    const next = await stage.begin(undefined, TRIAL);
    expect(await wholeEnd(stage, next)).toBe("APPLIED");
    await house.makeWhole();
  },
);

test(
  "one after the other is stopped in order and started again while applies go on: each of them ends whole",
  { timeout: 420_000 },
  async () => {
    const ends: string[] = [];
    let isRestarting = true;
    // One at a time, on each server in turn: the machine of the test is also that of the instances that start.
    const applying = async (): Promise<void> => {
      for (let turn = 0; isRestarting; turn++) {
        const stage = turn % 2 === 0 ? first() : second();
        // A request that was under way when its instance ended is asked again, as people do.
        const begun = await stage.begin(undefined, TRIAL).catch((error: unknown) => error as Error);
        if (begun instanceof Error) {
          process.stdout.write(`asked again: ${begun.message.slice(0, 120)}\n`);
          await nothingOpen(stage);
        } else ends.push(await wholeEnd(stage, begun));
      }
    };
    const running = applying();
    try {
      for (const index of [0, 1]) {
        await ended(ends, 1);
        await house.stopControl(index);
        await ended(ends, 1);
        await house.startControl(index);
      }
      await ended(ends, 1);
    } finally {
      isRestarting = false;
      await running;
    }
    process.stdout.write(`${ends.join(" ")}\n`);
    expect(ends.filter((state) => state === "APPLIED").length).toBeGreaterThan(ends.length / 2);
    expect(await house.database.rows(sql`select from servers where locked_code is not null`)).toEqual([]);
  },
);

async function nothingOpen({ server }: Stage): Promise<void> {
  const open = sql`select from applies a join servers s on s.id = a.server_id where s.name = ${server.name} and a.state in ('READY', 'APPLYING', 'ROLLBACKING')`;
  await until(
    `no open apply on ${server.name}`,
    async () => (await house.database.rows(open)).length === 0,
    90_000,
    ASK_API_EVERY_MS,
  );
}

/** So many more applies have come to an end, whoever did them. */
async function ended(ends: readonly string[], more: number): Promise<void> {
  const before = ends.length;
  await until(`${more} more applies to end`, () => ends.length >= before + more, 120_000, ASK_API_EVERY_MS);
}
