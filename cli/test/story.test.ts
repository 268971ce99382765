import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply, change } from "./specimens.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

const AT = "2026-01-02T03:04:00.000Z";
const NOT_THERE = {
  status: 404,
  json: {
    type: "/docs/api.md#resourcenot_found",
    title: "Not found",
    status: 404,
    code: "resource.not_found",
    detail: "There is no such apply, or you may not see it.",
    remedy: "Look at the id.",
    requestId: "request-1",
  },
};

function detail(id: string, server: string, message: string): object {
  return {
    ...apply({ id, server }),
    planId: "plan-1",
    revisions: [],
    fence: 3,
    leaseOwner: null,
    events: [
      {
        at: AT,
        fromState: null,
        toState: "READY",
        phase: null,
        code: null,
        message,
        actor: "rollout",
        requestId: null,
      },
    ],
    transactions: [],
    actions: { confirm: null, abort: null, retry: null, rollback: null, forceClose: null },
  };
}

test("the story of a change is that of each of its applies; of an apply its own alone", async () => {
  api.on("GET /applies/change-1", NOT_THERE);
  api.on("GET /applies/a1", { json: detail("a1", "web-1", "first") });
  api.on("GET /applies/a2", { json: detail("a2", "web-2", "second") });
  const applies = [apply({ id: "a1" }), apply({ id: "a2", server: "web-2" })];
  api.on("GET /changes/change-1", { json: change([], { applies }) });
  const whole = await runCli(["change", "story", "change-1"], { url: api.url });
  expect(whole).toMatchObject({ exitCode: 0, stderr: "" });
  expect(whole.stdout).toMatch(/web-1[^]*first[^]*web-2[^]*second/);
  const one = await runCli(["change", "story", "a2"], { url: api.url });
  expect(one.stdout).toContain("second");
  expect(one.stdout).not.toContain("first");
});

test("a change that no server has seen says so; what is neither is told by its id", async () => {
  api.on("GET /applies/change-1", NOT_THERE);
  api.on("GET /changes/change-1", { json: change([]) });
  expect((await runCli(["change", "story", "change-1"], { url: api.url })).stdout).toContain(
    "applied to no server yet",
  );
  api.on("GET /applies/none", NOT_THERE);
  api.on("GET /changes/none", NOT_THERE);
  expect(await runCli(["change", "story", "none"], { url: api.url })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("There is no") as string,
  });
});

test("the state of a server shows what differs, its interfaces with what is lent to them, and its neighbours", async () => {
  const domain = { liveDigest: "abcdef0123456789", confirmedDigest: "abc", drift: true, error: "" };
  const link = {
    name: "eth0",
    operational: "routable",
    carrier: true,
    mtu: 1500,
    addresses: [
      { address: "10.20.10.1/24", leaseSeconds: null },
      { address: "10.20.10.77/24", leaseSeconds: 3600 },
    ],
    counters: { rxBytes: 10, rxErrors: 1, txBytes: 20, txErrors: 0 },
  };
  const neighbour = { address: "10.20.10.9", link: "eth0", mac: "52:54:00:00:00:01", state: "REACHABLE" };
  const differences = [{ path: "interfaces.lan.mtu", expected: "9000", found: "1500" }];
  api.on("GET /servers/web-1/live", {
    json: {
      at: AT,
      generation: 2,
      bootId: "b",
      open: null,
      domains: [
        { ...domain, domain: "network", differences, observed: { links: [link], neighbours: [neighbour] } },
        // Of an agent that tells it in another way.
        { ...domain, domain: "vpn", drift: false, differences: [], observed: { links: "?" } },
      ],
    },
  });
  const { stdout, exitCode } = await runCli(["server", "state", "web-1"], { url: api.url });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/network +abcdef012345 +abc +DRIFT/);
  expect(stdout).toMatch(/network +interfaces\.lan\.mtu +9000 +1500/);
  expect(stdout).toMatch(
    /eth0 +routable +1500 +10\.20\.10\.1\/24 10\.20\.10\.77\/24 \(lent for 60 min\) +10 \/ 20 +1 \/ 0/,
  );
  expect(stdout).toMatch(/10\.20\.10\.9 +eth0 +52:54:00:00:00:01 +REACHABLE/);
});
