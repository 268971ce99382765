import { expect, test } from "vitest";
import { askAgent } from "../src/planning/ask-agent.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { type Instance, type SagaHouse, withSagaHouse } from "./saga-house.ts";

const PATIENT = 60_000;
const CONFIG = { json: "{}", digest: "d" };

function asking(house: SagaHouse, instance: Instance): ReturnType<typeof askAgent> {
  return askAgent(instance.switchboard, house.authority.commands);
}

/** A server whose agent is connected to this instance, and the database knows it. */
async function connected(house: SagaHouse, holder: Instance): ReturnType<SagaHouse["agent"]> {
  const made = await house.agent("web-1", holder);
  await expect
    .poll(async () => (await house.readServer(made.server)).session_instance, { timeout: 15_000 })
    .toBe(holder.id);
  return made;
}

test(
  "an instance asks the agent that another one holds, and gets the agent's own answer",
  () =>
    withSagaHouse(async (house) => {
      const [holder, other] = [await house.instance(), await house.instance()];
      const { server } = await connected(house, holder);
      const here = await asking(house, holder).state(server);
      const there = await asking(house, other).state(server);
      expect(here.kind).toBe("answered");
      expect(there).toEqual(here);
      const [first, second] = await Promise.all([
        asking(house, other).plan(server, CONFIG),
        asking(house, other).plan(server, CONFIG),
      ]);
      expect(first.kind).toBe("answered");
      expect(second, "many questions at once, each with its own answer").toEqual(first);
      const rows = await house.test.app.rows<{ asked_by: string; taken_by: string }>(
        sql`select asked_by, taken_by from questions`,
      );
      expect(rows).toHaveLength(3);
      for (const row of rows) expect(row).toEqual({ asked_by: other.id, taken_by: holder.id });
    }),
  PATIENT,
);

test(
  "an instance that holds no session hears what servers keep of the audit log",
  () =>
    withSagaHouse(async (house) => {
      const [holder, other] = [await house.instance(), await house.instance()];
      const { server } = await connected(house, holder);
      const { epoch, servers } = await other.askServers();
      expect(epoch).toBe(1);
      expect(servers).toMatchObject([{ id: server, name: "web-1", standing: "none", from: "server" }]);
      expect((await holder.askServers()).servers).toEqual(servers);
    }),
  PATIENT,
);

test(
  "a server that nobody holds is unreachable at once, and leaves no question behind",
  () =>
    withSagaHouse(async (house) => {
      const [holder, other] = [await house.instance(), await house.instance()];
      const { server, agent } = await connected(house, holder);
      agent.stop();
      await expect.poll(async () => (await house.readServer(server)).session_instance, { timeout: 10_000 }).toBeNull();
      expect(await asking(house, other).state(server)).toMatchObject({ kind: "unreachable" });
      expect(await house.test.app.rows(sql`select id from questions`)).toEqual([]);
    }),
  PATIENT,
);

test(
  "a holder that was killed does not answer: the question is given up in its time and can be asked again elsewhere",
  () =>
    withSagaHouse(async (house) => {
      const [holder, other] = [await house.instance(), await house.instance()];
      const { server } = await connected(house, holder);
      await holder.switchboard.close(); // it still holds the session, and answers nobody
      const asked = await asking(house, other).state(server);
      expect(asked).toEqual({ kind: "unreachable", why: "the instance that holds its session did not answer in time" });
    }),
  PATIENT,
);

test(
  "a question that is old is not answered any more: nobody waits for it",
  () =>
    withSagaHouse(async (house) => {
      const holder = await house.instance();
      const { server } = await connected(house, holder);
      const id = newId();
      await house.test.owner.run(sql`
        insert into holdfast.questions (id, server_id, verb, request, asked_by, asked_at)
        values (${id}, ${server}, 'state', ${Buffer.alloc(0)}, ${id}, now() - interval '5 minutes')`);
      await house.test.app.run(sql`select pg_notify('holdfast_questions', ${"{}"})`);
      expect((await asking(house, holder).state(server)).kind).toBe("answered");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(await house.test.app.rows(sql`select taken_by from questions`)).toEqual([{ taken_by: null }]);
    }),
  PATIENT,
);
