/** What a server cannot do is known before anybody plans on it, refused where it is written, and never believed for longer than it is so. */
import { expect, test, vi } from "vitest";
import { planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

vi.setConfig({ testTimeout: 60_000 });

const lack = (feature: string, code: string, reason: string) => ({ feature, code, reason, remedy: "Mend it." });
const NO_BOND = lack("bond", "network.kernel_lacks", "The kernel of this server cannot make a bond.");
const READ_ONLY = lack("", "network.read_only", "The network can be looked at and not changed.");

const BOND = `apiVersion: holdfast/v1
kind: Policy
name: uplink
layer: role
selector: { role: web }
network:
  interfaces:
    left: { ipv4: { method: none }, ipv6: { method: none } }
    uplink:
      bond: { mode: active-backup, members: [left] }
      ipv4: { method: none }
      ipv6: { method: none }
`;

async function known(
  api: ApiHouse,
  token: string,
  domain: string,
  isSo: (lacks: readonly unknown[] | null) => boolean,
) {
  return api.until(async () => {
    const server = await api.done(token, "getServer", { params: { name: "web-1" } });
    const one = server.capabilities.find((each) => each.domain === domain);
    return one !== undefined && isSo(one.lacks) ? { server, one } : undefined;
  }, `what ${domain} lacks to be known`);
}

test("what is missing is shown, refuses a plan at the line that needs it, and no plan that does not", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    agent.sayLacks("network", [NO_BOND]);
    const { server, one } = await known(api, kim, "network", (lacks) => lacks?.length === 1);
    expect(one).toMatchObject({ available: true, lacks: [NO_BOND] });
    expect(server.lacksAt).not.toBeNull();
    // Of the others nobody has said anything, which is not the same as nothing.
    expect(server.capabilities.find(({ domain }) => domain === "vpn")?.lacks).toBeNull();

    const plans = vi.fn<typeof agent.onPlan>(agent.onPlan);
    agent.onPlan = plans;
    const refused = await planned(api, kim, [BOND]);
    expect(refused.plans).toMatchObject([
      {
        status: "refused",
        findings: [
          {
            severity: "error",
            code: "network.kernel_lacks",
            document: "Policy/uplink",
            path: "network.interfaces.uplink.bond",
            line: 10,
            message: "web-1 cannot do this: The kernel of this server cannot make a bond.",
            remedy: "Mend it.",
          },
        ],
      },
    ]);
    expect(plans).not.toHaveBeenCalled();
    expect((await planned(api, kim, [policy("web", 443)])).plans).toMatchObject([{ status: "planned" }]);
  });
});

test("what has been mended since is asked for before it is held against anybody", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    agent.sayLacks("network", [READ_ONLY, NO_BOND]);
    const { one } = await known(api, kim, "network", (lacks) => lacks?.length === 2);
    expect(one).toMatchObject({ available: false, reason: READ_ONLY.reason });
    // Where all of a domain is missing, its parts are not told beside it.
    const refused = await planned(api, kim, [BOND]);
    expect(refused.plans[0]?.findings.map(({ code }) => code)).toEqual(["network.read_only"]);

    agent.lacking = { network: [] };
    expect((await planned(api, kim, [BOND], "again")).plans).toMatchObject([{ status: "planned" }]);
    await known(api, kim, "network", (lacks) => lacks?.length === 0);
  });
});

test("a server that is away is held to what it last said; an agent that says too much is cut short", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    agent.sayLacks("network", [
      { ...NO_BOND, reason: "x".repeat(5_000) },
      ...Array.from({ length: 99 }, () => READ_ONLY),
    ]);
    const { one } = await known(api, kim, "network", (lacks) => (lacks?.length ?? 0) > 0);
    expect(one.lacks).toHaveLength(50);
    expect(one.lacks?.[0]?.reason).toHaveLength(1_000);

    agent.sayLacks("network", [NO_BOND]);
    await known(api, kim, "network", (lacks) => lacks?.length === 1);
    agent.stop();
    await api.until(
      async () => ((await api.done(kim, "getServer", { params: { name: "web-1" } })).connected ? undefined : true),
      "the agent to be away",
    );
    expect((await planned(api, kim, [BOND])).plans).toMatchObject([
      { status: "refused", findings: [{ code: "network.kernel_lacks" }] },
    ]);
  });
});
