import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemdAgent } from "./systemd-agent.ts";
import { call, certifiedConfig, type CertifiedRoad, certifiedRoad, hangUp } from "./vpn-certified.ts";
import { look, passes } from "./vpn-pair.ts";
import { OFFICE } from "./vpn-people.ts";
import { abort, confirm, type End, onTrial, seen, type SeenCharon, TRIAL } from "./vpn-trial.ts";

/** People with certificates, with real daemons at both sides: who comes in, who is turned away, and the way back. */

let lab: Lab;
let at: CertifiedRoad;
let hub: End;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfe-${process.pid}` });
  at = await certifiedRoad(lab);
  hub = { server: at.hub, agent: new SystemdAgent(at.hub) };
  await hub.agent.install();
});
afterAll(async () => {
  hub.agent.letGo();
  await lab.close();
});

const connected = ({ charon }: { readonly charon: SeenCharon }): readonly string[] =>
  charon.sas.flatMap(({ name, virtualAddresses }) => virtualAddresses.map(() => name)).toSorted();

const everybody = (): Json => certifiedConfig(at);

async function turnedAway(device: 0 | 1, caller: Parameters<typeof call>[1]): Promise<void> {
  const refused = await call(at.devices[device], caller);
  expect(refused.address, `${caller}: ${refused.log}`).toBeNull();
  expect(refused.log).toContain("AUTHENTICATION_FAILED");
}

test("on trial people come in by the very certificates that are named and packets pass; every other one is turned away; undone, the server is as it was", async () => {
  const before = await look(at.hub);
  expect(await hub.agent.findings({ vpn: everybody() }, TRIAL)).not.toContainEqual(
    expect.objectContaining({ severity: "error" }),
  );
  const trial = await onTrial(hub, everybody());
  const [alice, bob] = [await call(at.devices[0], "alice"), await call(at.devices[1], "bob")];
  expect([alice.address, bob.address], alice.log + bob.log).toEqual(["10.99.0.1", "10.99.0.2"]);
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
  expect(await passes(at.devices[1], "10.99.0.2", OFFICE)).toBe(true);
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice", "holdfast-staff--bob"]);
  await hangUp(at.devices[1]);
  // Another person's name; a certificate of the house for the right name, and for nobody's; one that has ended, though it is named.
  for (const caller of ["bob-as-alice", "mallory", "carol", "dave"] as const) await turnedAway(1, caller);
  // Nobody of them has cut off who is in.
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice"]);
  await hangUp(at.devices[0]);
  // Whatever in it the device calls itself.
  const windows = await call(at.devices[0], "alice-dn");
  expect(windows.address, windows.log).not.toBeNull();
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice"]);
  expect(await at.hub.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
  await abort(hub, trial);
  expect(await look(at.hub)).toBe(before);
  expect(await at.hub.must(["swanctl", "--list-sas"])).toBe("");
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
});

test("confirmed, they come in after a boot too, and a connection that somebody took away is drift that the next change mends", async () => {
  await confirm(hub, await onTrial(hub, everybody()));
  hub.agent.letGo();
  await at.hub.reboot();
  const loaded = () => at.hub.must(["swanctl", "--list-conns"]);
  await until("strongSwan to have its people again", async () => (await loaded()).includes("staff--bob"), 30_000);
  expect(await seen(hub)).toMatchObject({ drift: false });
  for (const [device, caller] of [
    [0, "alice"],
    [1, "bob"],
  ] as const) {
    const called = await call(at.devices[device], caller);
    expect(called.address, called.log).not.toBeNull();
  }
  await turnedAway(1, "dave");
  await hangUp(at.devices[1]);
  const boot = await at.hub.must(["cat", "/etc/swanctl/conf.d/holdfast.conf"]);
  await at.hub.writeFile("/run/other.conf", boot.replace(/ {2}holdfast-staff--bob \{[\s\S]*?\n {2}\}\n/, ""), 0o600);
  await at.hub.must(["swanctl", "--load-conns", "--file", "/run/other.conf"]);
  await at.hub.must(["rm", "/run/other.conf"]);
  await turnedAway(1, "bob");
  expect(await seen(hub)).toMatchObject({ drift: true });
  await confirm(hub, await onTrial(hub, everybody(), true));
  expect(await seen(hub)).toMatchObject({ drift: false });
});

test("another certificate on trial: the old one opens nothing; undone, the old one is good again", async () => {
  await hangUp(at.devices[0]);
  expect((await call(at.devices[0], "alice")).address).not.toBeNull();
  const trial = await onTrial(hub, certifiedConfig(at, { people: { alice: "alice-2", bob: "bob", dave: "dave" } }));
  expect(connected(await seen(hub))).toEqual([]);
  await turnedAway(0, "alice");
  const renewed = await call(at.devices[0], "alice-2");
  expect(renewed.address, renewed.log).not.toBeNull();
  await abort(hub, trial);
  expect(connected(await seen(hub))).toEqual([]);
  await turnedAway(0, "alice-2");
  const back = await call(at.devices[0], "alice");
  expect(back.address, back.log).not.toBeNull();
});

test("one is revoked: out on trial already, in again by the undo, out for good when it is confirmed", async () => {
  expect((await call(at.devices[1], "bob")).address).not.toBeNull();
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice", "holdfast-staff--bob"]);
  const without = certifiedConfig(at, { revoked: ["alice"] });
  expect(await hub.agent.findings({ vpn: without }, TRIAL)).toContainEqual(
    expect.objectContaining({
      code: "vpn.flaps",
      message: "alice of staff: connected now, cut off, and not let in again.",
    }),
  );
  const trial = await onTrial(hub, without);
  // Nobody else notices.
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--bob"]);
  expect(await passes(at.devices[1], "10.99.0.2", OFFICE)).toBe(true);
  await turnedAway(0, "alice");
  await turnedAway(0, "alice-dn");
  await abort(hub, trial);
  expect((await call(at.devices[0], "alice")).address).not.toBeNull();
  await confirm(hub, await onTrial(hub, without));
  await turnedAway(0, "alice");
  expect(await at.hub.must(["cat", "/etc/swanctl/conf.d/holdfast.conf"])).not.toContain("alice");
  expect(await seen(hub)).toMatchObject({ drift: false });
});

test("released, nothing of it is left", async () => {
  await hangUp(at.devices[1]);
  await confirm(hub, await onTrial(hub, null));
  expect(await at.hub.must(["swanctl", "--list-conns"])).toBe("");
  expect(await at.hub.must(["sh", "-c", "ls /etc/swanctl/conf.d /etc/swanctl/private | grep holdfast; true"])).toBe("");
});
