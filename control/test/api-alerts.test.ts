import { expect, test } from "vitest";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { systemActor } from "../src/store/actor.ts";
import { setDrift } from "../src/store/servers.ts";
import { transaction } from "../src/store/transaction.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

async function lookOnce({ house }: ApiHouse): Promise<void> {
  const by = systemActor("alerts", house.instanceId);
  await recordAlerts(house.database, await look(house.database), by, house.log);
}

async function drift(api: ApiHouse, name: string, domains: readonly string[]): Promise<void> {
  const { house } = api;
  const row = await house.database.one<{ id: never }>({
    text: "select id from servers where name = $1",
    values: [name],
  });
  const done = await transaction(house.database, (tx) =>
    setDrift(tx, row.id, domains, systemActor("test", house.instanceId)),
  );
  if (!done.ok) throw done.error;
}

test("alerts are seen by whoever may see their server, and acknowledged by whoever may apply to it", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const scope = { scope: { role: "web" }, domains: null } as const;
    const web = await api.account("web", [
      { permission: "view", ...scope },
      { permission: "apply", ...scope },
    ]);
    const viewer = await api.account("viewer", ["view"]);
    await api.server(kim, "web-1", { role: "web" });
    await api.server(kim, "db-1", { role: "db" });
    await drift(api, "web-1", ["firewall"]);
    await drift(api, "db-1", ["system"]);
    await lookOnce(api);

    const all = (await api.done(kim, "listAlerts")).items;
    expect(new Set(all.map(({ server }) => server))).toEqual(new Set(["db-1", "web-1"]));
    expect((await api.done(web, "listAlerts")).items.map(({ server }) => server)).toEqual(["web-1"]);
    const [mine, other] = [all.find(({ server }) => server === "web-1"), all.find(({ server }) => server === "db-1")];
    expect(mine).toMatchObject({ kind: "drift", state: "open", runbook: "docs/runbooks/drift.md", acknowledge: null });
    expect(await api.ask(web, "getAlert", { params: { id: other?.id ?? "" } })).toMatchObject({ status: 404 });
    expect(await api.ask(web, "acknowledgeAlert", { params: { id: other?.id ?? "" }, body: {} })).toMatchObject({
      status: 404,
    });
    const params = { id: mine?.id ?? "" };
    expect(await api.ask(viewer, "acknowledgeAlert", { params, body: {} })).toMatchObject({ status: 403 });
    expect(await api.done(web, "acknowledgeAlert", { params, body: { reason: "on it" } })).toMatchObject({
      state: "acknowledged",
      acknowledgedBy: "web",
      acknowledgement: "on it",
      acknowledge: "web is at it.",
    });
    expect(await api.ask(kim, "acknowledgeAlert", { params, body: {} })).toMatchObject({
      status: 409,
      json: { code: "alert.not_now", detail: "web is at it." },
    });
    await drift(api, "web-1", []);
    await lookOnce(api);
    expect((await api.done(kim, "listAlerts")).items.map(({ server }) => server)).toEqual(["db-1"]);
    const resolved = (await api.done(kim, "listAlerts", { query: { state: "resolved" } })).items;
    expect(resolved).toMatchObject([{ id: params.id, acknowledge: "It is resolved." }]);
    expect((await api.done(kim, "listAlerts", { query: { state: "all", limit: "1" } })).nextCursor).not.toBeNull();
    const listed = (await api.done(kim, "listAudit")).items.filter(({ action }) => action === "alert.acknowledged");
    expect(listed).toMatchObject([{ actor: "web", server: "web-1" }]);
  });
});

test("an apply that was refused because of another one names the server and who tried", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const going = Promise.withResolvers<void>();
    agent.pauseInStep = going.promise;
    const slow = await planned(api, kim, [policy("web", 80)], "slow");
    const other = await planned(api, lee, [policy("other", 81)], "other");
    await api.done(kim, "applyChange", { params: { id: slow.id }, body: bodyOf(slow) });
    await api.until(
      async () => ((await api.done(kim, "getServer", { params: { name: "web-1" } })).open === null ? undefined : true),
      "the apply to begin",
    );
    await lookOnce(api);
    expect((await api.done(kim, "listAlerts")).items).toEqual([]);
    expect(await api.ask(lee, "applyChange", { params: { id: other.id }, body: bodyOf(other) })).toMatchObject({
      status: 409,
      json: { code: "apply.server_busy" },
    });
    expect(await api.ask(lee, "applyChange", { params: { id: slow.id }, body: bodyOf(slow) })).toMatchObject({
      status: 409,
      json: { code: "change.under_way" },
    });
    await lookOnce(api);
    const found = (await api.done(kim, "listAlerts")).items;
    expect(found.map(({ kind, server }) => [kind, server])).toEqual(
      expect.arrayContaining([
        ["concurrent-applies", "web-1"],
        ["concurrent-applies", null],
      ]),
    );
    expect(found.every(({ message }) => message.includes("the last by lee"))).toBe(true);
    going.resolve();
  });
});
