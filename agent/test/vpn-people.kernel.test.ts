import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemdAgent } from "./systemd-agent.ts";
import { look, passes } from "./vpn-pair.ts";
import { call, hangUp, OFFICE, peopleConfig, type Road, road } from "./vpn-people.ts";
import { abort, confirm, type End, onTrial, seen, type SeenCharon, TRIAL } from "./vpn-trial.ts";

/** People who call a server, with real daemons at both sides: addresses, traffic, who is turned away, and the way back. */

let lab: Lab;
let at: Road;
let hub: End;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfp-${process.pid}` });
  at = await road(lab);
  hub = { server: at.hub, agent: new SystemdAgent(at.hub) };
  await hub.agent.install();
});
afterAll(async () => {
  hub.agent.letGo();
  await lab.close();
});

const connected = ({ charon }: { readonly charon: SeenCharon }): readonly string[] =>
  charon.sas.flatMap(({ name, virtualAddresses }) => virtualAddresses.map((address) => `${name} ${address}`));

test("on trial, two people get addresses of their own and packets pass; undone, they are cut off and the server is as it was", async () => {
  const before = await look(at.hub);
  const trial = await onTrial(hub, peopleConfig());
  const [alice, bob] = [await call(at.devices[0], "alice"), await call(at.devices[1], "bob")];
  expect([alice.address, bob.address], alice.log + bob.log).toEqual(["10.99.0.1", "10.99.0.2"]);
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
  expect(await passes(at.devices[1], "10.99.0.2", OFFICE)).toBe(true);
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice 10.99.0.1", "holdfast-staff--bob 10.99.0.2"]);
  // The key of one opens nobody else's connection. What the caller is told proves nothing: the server's own word was made with Bob's key.
  expect(await call(at.devices[0], "imposter")).toMatchObject({ address: null });
  const log = await at.hub.must(["journalctl", "--no-pager", "-q", "-u", "strongswan.service"]);
  expect(log.match(/authentication of 'bob@example\.com' with pre-shared key successful/g)).toHaveLength(1);
  expect(log).toMatch(/tried 1 shared key for '\S+' - 'bob@example\.com', but MAC mismatched/);
  // Nothing of a trial would survive a reboot.
  expect(await at.hub.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
  await abort(hub, trial);
  expect(await look(at.hub)).toBe(before);
  expect(await at.hub.must(["swanctl", "--list-pools"])).toBe("");
  expect(await at.hub.must(["swanctl", "--list-sas"])).toBe("");
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
});

test("confirmed: when all addresses are given out, the next one is turned away, and the plan and the live view say so; one is cut off, and there is room", async () => {
  await confirm(hub, await onTrial(hub, peopleConfig()));
  expect((await call(at.devices[0], "alice")).address).not.toBeNull();
  expect((await call(at.devices[1], "bob")).address).not.toBeNull();
  const carol = await call(at.devices[1], "carol");
  expect(carol).toMatchObject({ address: null });
  expect(carol.log).toContain("INTERNAL_ADDRESS_FAILURE");
  const full = await seen(hub);
  expect(full).toMatchObject({ drift: false, charon: { pools: [{ size: 2, online: 2 }] } });
  expect(await hub.agent.findings({ vpn: peopleConfig() }, TRIAL)).toMatchObject([
    { code: "vpn.forwarding_off" },
    { code: "vpn.pool_full", message: expect.stringContaining("All 2 addresses of 10.99.0.0/30 are given out") },
    { code: "vpn.pool_small", message: "10.99.0.0/30 has 2 addresses for the 3 people of staff." },
  ]);

  const { answer } = await hub.agent.tunnel("terminate", "ike", [], "staff--bob");
  expect([answer.outcome, ...answer.findings.map(({ code }) => code)]).toEqual([
    "done",
    "vpn.act_cuts",
    "vpn.people_come_back",
  ]);
  await hangUp(at.devices[1], "carol");
  expect(await call(at.devices[1], "carol")).toMatchObject({ address: "10.99.0.2" });
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
});

test("one is revoked: cut off and refused on trial, let in again by the undo; confirmed, refused for good, her key is gone, also after a boot", async () => {
  const before = await look(at.hub);
  const without = peopleConfig(["alice"]);
  expect(await hub.agent.findings({ vpn: without }, TRIAL)).toContainEqual(
    expect.objectContaining({ code: "vpn.flaps", message: expect.stringContaining("alice of staff") }),
  );
  const trial = await onTrial(hub, without);
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--carol 10.99.0.2"]);
  const refused = await call(at.devices[0], "alice");
  expect(refused.address).toBeNull();
  expect(refused.log).toContain("AUTHENTICATION_FAILED");
  // Nobody else notices.
  expect(await passes(at.devices[1], "10.99.0.2", OFFICE)).toBe(true);
  await abort(hub, trial);
  // charon lists connections in the order in which they came.
  const inOrder = (text: string): readonly string[] => text.split("\n").toSorted();
  expect(inOrder(await look(at.hub))).toEqual(inOrder(before));
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: "10.99.0.1" });

  await confirm(hub, await onTrial(hub, without));
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
  expect(await at.hub.must(["cat", "/etc/swanctl/conf.d/holdfast-keys.conf"])).not.toContain("alice");
  hub.agent.letGo();
  await at.hub.reboot();
  await until("strongSwan to have its people again", async () => (await seen(hub)).charon.pools?.length === 1, 30_000);
  expect(await seen(hub)).toMatchObject({ drift: false });
  await hangUp(at.devices[1], "carol");
  expect((await call(at.devices[1], "bob")).address).not.toBeNull();
  expect(await passes(at.devices[1], "10.99.0.1", OFFICE)).toBe(true);
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
});
