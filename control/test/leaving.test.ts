import { expect, test, vi } from "vitest";
import { applied, bodyOf, ended, planned, type Planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

/** Several rollouts over real TLS and a real database. */
vi.setConfig({ testTimeout: 60_000 });

const FLOOR = `apiVersion: holdfast/v1
kind: Floor
name: house
selector: { all: true }
management:
  - { name: ops, networks: 198.51.100.0/24, tcpPorts: 22 }
`;

const server = (more: string): string =>
  `apiVersion: holdfast/v1\nkind: Server\nname: web-1\nlabels: { role: web }\n${more}`;

async function inForceNow(api: ApiHouse, token: string, change: Planned): Promise<void> {
  expect(await applied(api, token, change)).toMatchObject({ state: "DONE" });
}

async function rolledBack(api: ApiHouse, token: string, change: Planned): Promise<void> {
  const back = await api.done(token, "planRollback", { params: { id: change.id }, body: {} });
  const body = bodyOf(back, "rollback");
  const rollout = await api.done(token, "rollbackChange", { params: { id: change.id }, body });
  expect(await ended(api, token, rollout.id)).toMatchObject({ state: "DONE" });
}

const inForce = async (api: ApiHouse, token: string): Promise<readonly string[]> =>
  (await api.done(token, "getServer", { params: { name: "web-1" } })).policies.map(
    ({ kind, name, revision }) => `${kind}/${name} r${revision}`,
  );

test("a server that leaves keeps its floor and nothing else; it is a danger, and a rollback brings everything back", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    await inForceNow(api, kim, await planned(api, kim, [FLOOR, policy("web", 443)]));

    const leaving = await planned(api, kim, [server("leaves: true\n")], "web-1 leaves");
    const [plan] = leaving.plans;
    expect(plan?.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: "plan.lets_go", severity: "danger" }),
        expect.objectContaining({ code: "plan.leaves", message: expect.stringContaining("the server leaves") }),
      ]),
    );
    // Nobody lets it go without having said yes to just that.
    expect(
      await api.ask(kim, "applyChange", {
        params: { id: leaving.id },
        body: { ...bodyOf(leaving), acknowledge: [] },
      }),
    ).toMatchObject({ status: 409 });
    await inForceNow(api, kim, leaving);
    expect(await inForce(api, kim)).toEqual(["Floor/house r1", "Server/web-1 r2"]);
    expect((await api.done(kim, "getServerConfig", { params: { name: "web-1" } })).native).toEqual({});

    // What comes later does not come here, and it is not said again.
    const later = await planned(api, kim, [policy("web", 8443), server("leaves: true\ndescription: gone soon\n")]);
    expect(later.plans.flatMap(({ findings }) => findings.map(({ code }) => code))).not.toContain("plan.lets_go");

    await rolledBack(api, kim, leaving);
    expect(await inForce(api, kim)).toEqual(["Floor/house r1", "Policy/web r1", "Server/web-1 r1"]);
    const config = await api.done(kim, "getServerConfig", { params: { name: "web-1" } });
    expect(config.native["firewall"]).toContain("443");
  });
});

test("a policy that a server left by its labels comes back with the rollback, also when no other server has it", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    await inForceNow(api, kim, await planned(api, kim, [policy("web", 443)]));
    const moved = await planned(api, kim, [server("").replace("role: web", "role: db")], "web-1 is a database");
    await inForceNow(api, kim, moved);
    expect(await inForce(api, kim)).toEqual(["Server/web-1 r2"]);
    await rolledBack(api, kim, moved);
    expect(await inForce(api, kim)).toEqual(["Policy/web r1", "Server/web-1 r1"]);
  });
});

test("a tunnel that still has an end there stands in the way, by its name", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const tunnel = `apiVersion: holdfast/v1
kind: Tunnel
name: acme
ends:
  here: { server: web-1, address: 203.0.113.10, networks: [10.10.0.0/16] }
  acme: { external: true, identity: vpn.acme.example, address: 192.0.2.44, networks: [172.16.8.0/24] }
via: policy
clearText: block
auth: { psk: "file:acme-1" }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: restart }
traffic: { default: drop, rules: [] }
`;
    const both = await planned(api, kim, [tunnel, server("leaves: true\n")]);
    expect(both.plans[0]?.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          code: "plan.tunnel_stays",
          severity: "error",
          message: "Tunnel/acme still has an end on web-1.",
        }),
      ]),
    );
    expect(both.plans[0]).toMatchObject({ status: "refused", planDigest: null });
  });
});
