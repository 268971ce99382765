import { expect, test } from "vitest";
import { withApi } from "./api-house.ts";

test("the log is searched by who, what, where, when and how it ended, and exported as it is shown", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view", "edit"]);
    const aud = await api.account("aud", ["audit"]);
    for (const [name, role] of [
      ["web-1", "web"],
      ["db-1", "db"],
    ] as const)
      await api.done(kim, "createServer", { body: { name, labels: { role } } });
    await api.ask(kim, "pauseServer", { params: { name: "web-1" }, body: { seconds: 60, reason: "x" } });
    const found = async (query: Record<string, string>) =>
      (await api.done(aud, "listAudit", { query: { limit: "200", ...query } })).items;
    expect(new Set((await found({ actor: "kim" })).map((entry) => entry.actor))).toEqual(new Set(["kim"]));
    expect((await found({ actor: "kim", result: "refused" })).map((entry) => entry.action)).toEqual([
      "api.pauseServer",
    ]);
    expect((await found({ action: "server.expected" })).map((entry) => entry.server)).toEqual(["db-1", "web-1"]);
    expect((await found({ action: "server.expected", server: "web-1" })).length).toBe(1);
    expect((await found({ text: "PERMISSION_missing" })).length).toBe(1);
    expect((await found({ text: "%" })).length).toBe(0);
    expect(await found({ until: "2020-01-01T00:00:00Z" })).toEqual([]);
    expect((await found({ since: "2020-01-01T00:00:00Z" })).length).toBe((await found({})).length);
    expect((await api.ask(aud, "listAudit", { query: { actor: "nobody" } })).status).toBe(404);
    expect((await api.ask(aud, "listAudit", { query: { since: "yesterday" } })).status).toBe(400);

    const exported = (format: string, token = aud, more = "") =>
      api.app.inject({
        method: "GET",
        url: `/api/v1/audit/export?format=${format}${more}`,
        headers: { authorization: `Bearer ${token}` },
      });
    const lines = (await exported("jsonl")).body.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(await found({}));
    const csv = await exported("csv", aud, "&action=server.expected");
    expect(csv.headers).toMatchObject({ "content-type": "text/csv; charset=utf-8", "cache-control": "no-store" });
    expect(csv.headers["content-security-policy"]).toBeDefined();
    expect(csv.body.trim().split("\r\n").length).toBe(3);
    expect((await exported("jsonl", kim)).json()).toMatchObject({ code: "access.permission_missing" });
    expect((await exported("jsonl", aud, "&actor=nobody")).statusCode).toBe(404);
    expect((await exported("xml")).statusCode).toBe(400);
    const some = await api.account("some", [{ permission: "audit", scope: { role: "db" }, domains: null }]);
    const own = (await exported("jsonl", some)).body.trim().split("\n");
    expect(new Set(own.map((line) => (JSON.parse(line) as { server: string }).server))).toEqual(new Set(["db-1"]));
  });
});

test("S35 S36: verification holds the chain against what was signed, and against a head that somebody kept", async () => {
  await withApi(async (api) => {
    const aud = await api.account("aud", ["audit"]);
    await api.house.witness.checkpoint();
    const verdict = await api.done(aud, "verifyAudit");
    expect(verdict).toMatchObject({ intact: true, reason: null, firstBroken: null });
    expect(verdict.anchors).toBeGreaterThan(0);
    const kept = `${verdict.newestAnchor?.entries ?? 0}:${verdict.newestAnchor?.head ?? ""}`;
    expect(await api.done(aud, "verifyAudit", { query: { kept } })).toMatchObject({ intact: true });
    const beyond = `999999:${verdict.head}`;
    expect(await api.done(aud, "verifyAudit", { query: { kept: beyond } })).toMatchObject({
      intact: false,
      reason: "cut_off",
    });
    expect((await api.ask(aud, "verifyAudit", { query: { kept: "x" } })).status).toBe(400);
  });
});
