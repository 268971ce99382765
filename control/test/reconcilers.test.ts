import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { checkAuthority } from "../src/authority/authority.ts";
import { AgentSessions } from "../src/gateway/agent-sessions.ts";
import { inDoubt } from "../src/reconcilers/in-doubt.ts";
import { retention } from "../src/reconcilers/retention.ts";
import { silentInstances } from "../src/reconcilers/silent-instances.ts";
import { stuckApplies } from "../src/reconcilers/stuck-applies.ts";
import { listInstances, reportInstance } from "../src/store/instances.ts";
import { newId } from "../src/store/new-id.ts";
import { type SagaHouse, withSagaHouse } from "./saga-house.ts";
import { signedHouse } from "./signed-house.ts";

const NEVER = new AbortController().signal;

/** A context whose log is read by the test. */
function context(house: SagaHouse) {
  const codes: string[] = [];
  const log = pino(
    { level: "info" },
    { write: (line: string) => codes.push((JSON.parse(line) as { result_code?: string }).result_code ?? "") },
  );
  return {
    codes,
    context: {
      database: house.database,
      instanceId: newId<InstanceId>(),
      sessions: new AgentSessions(),
      log,
      signal: NEVER,
    },
  };
}

function sqlAsOwner(house: SagaHouse, text: string, ...values: readonly unknown[]): Promise<number> {
  return house.test.owner.run({ text, values });
}

/** An apply whose server was executed on and is away since. */
async function abandoned(house: SagaHouse) {
  const one = await house.instance();
  const { server, agent } = await house.agent("web-1", one, { windowMs: 60_000 });
  agent.isCutWhileLive = true;
  const apply = await house.apply(server, { windowSeconds: 60 });
  await house.until(apply.id, (row) => row.lease_owner === null && row.fence !== null && row.phase !== "dispatched");
  return { one, server, agent, apply };
}

test("what nobody can ask is in doubt, and the server's word takes the doubt away", async () => {
  await withSagaHouse(async (house) => {
    const { agent, apply } = await abandoned(house);
    const given = context(house);
    await inDoubt.run(given.context);
    await sqlAsOwner(
      house,
      "update holdfast.applies set next_check_at = now() - interval '6 seconds' where id = $1",
      apply.id,
    );
    await inDoubt.run(given.context);
    await inDoubt.run(given.context); // again changes nothing
    const row = await house.until(apply.id, (each) => each.phase === "in_doubt");
    expect(row.state).toBe("APPLYING");
    agent.isCutWhileLive = false;
    expect((await house.ended(apply.id)).state).toBe("APPLIED");
  });
});

// I14.
test("long after its window an apply is decided to be undone, and undone when its server is back", async () => {
  await withSagaHouse(async (house) => {
    const { agent, apply } = await abandoned(house);
    const given = context(house);
    await stuckApplies.run(given.context);
    expect((await house.read(apply.id)).state).toBe("APPLYING");
    await sqlAsOwner(
      house,
      "update holdfast.host_transactions set execute_sent_at = now() - interval '3 minutes' where apply_id = $1",
      apply.id,
    );
    await stuckApplies.run(given.context);
    const row = await house.until(apply.id, (each) => each.state === "ROLLBACKING");
    expect(row).toMatchObject({ phase: "in_doubt", code: "apply.stuck" });
    agent.isCutWhileLive = false;
    expect(await house.ended(apply.id)).toMatchObject({ state: "ROLLED_BACK", code: "apply.stuck" });
    expect(agent.ledger.live).toBe("found");
  });
});

test("a silent instance is buried with its sessions and leases", async () => {
  await withSagaHouse(async (house) => {
    const dead: InstanceId = newId();
    await reportInstance(house.database, dead, "gone");
    const server = await house.server("web-9");
    await sqlAsOwner(house, "update holdfast.instances set seen_at = now() - interval '1 minute' where id = $1", dead);
    await sqlAsOwner(
      house,
      "update holdfast.servers set session_instance = $1, session_id = $1 where id = $2",
      dead,
      server,
    );
    const given = context(house);
    await silentInstances.run(given.context);
    expect((await listInstances(house.database)).map((each) => each.id)).not.toContain(dead);
    expect(await house.readServer(server)).toMatchObject({ session_instance: null, session_id: null });
    expect(given.codes).toEqual(["instance.silent"]);
  });
});

test("answers that nobody will ask for again are forgotten", async () => {
  await withSagaHouse(async (house) => {
    const insert =
      "insert into holdfast.idempotency_keys (user_id, key, route, body_mac, created_at) values ($1, $2, 'r', '', now() - $3::interval)";
    await sqlAsOwner(house, insert, house.author, "old", "8 days");
    await sqlAsOwner(house, insert, house.author, "new", "1 day");
    await retention.run(context(house).context);
    expect(await house.database.rows({ text: "select key from idempotency_keys", values: [] })).toEqual([
      { key: "new" },
    ]);
  });
});

test("an alert that was over a year ago is forgotten with what was told of it; what stands or is new is kept, whoever asks", async () => {
  await withSagaHouse(async (house) => {
    const insert = `with alert as (
        insert into holdfast.alerts (id, kind, subject, message, state, resolved_at)
        values (gen_random_uuid(), 'drift', $1, 'm', $2, now() - $3::interval) returning id)
      insert into holdfast.deliveries (id, alert_id, event, channel, payload) select gen_random_uuid(), id, 'opened', 'ops', '{}' from alert`;
    await sqlAsOwner(house, insert, "old", "resolved", "366 days");
    await sqlAsOwner(house, insert, "new", "resolved", "89 days");
    await sqlAsOwner(house, insert, "standing", "open", null);
    await retention.run(context(house).context);
    expect(
      await house.database.rows({
        text: "select a.subject from alerts a join deliveries d on d.alert_id = a.id order by 1",
        values: [],
      }),
    ).toEqual([{ subject: "new" }, { subject: "standing" }]);
    for (const subject of ["new", "standing"])
      await expect(sqlAsOwner(house, "delete from holdfast.alerts where subject = $1", subject)).rejects.toThrow(
        "is kept",
      );
  });
});

test("an instance with keys of its own is refused by the database of another house", async () => {
  await withSagaHouse(async (house) => {
    expect(await checkAuthority(house.database, house.authority, newId())).toEqual({ ok: true, value: null });
    expect(await checkAuthority(house.database, house.authority, newId())).toEqual({ ok: true, value: null });
    const folder = await mkdtemp(join(tmpdir(), "holdfast-other-"));
    try {
      const other = await signedHouse(folder, house.test);
      await other.close();
      expect(await checkAuthority(house.database, other.authority, newId())).toMatchObject({
        ok: false,
        error: { code: "authority.other_keys" },
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
