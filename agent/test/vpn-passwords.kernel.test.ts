import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemdAgent } from "./systemd-agent.ts";
import type { HouseRoad } from "./vpn-house.ts";
import { look, passes } from "./vpn-pair.ts";
import { call, hangUp, makeLiar, PASSWORDS, passwordConfig, passwordRoad } from "./vpn-passwords.ts";
import { OFFICE } from "./vpn-people.ts";
import { abort, confirm, type End, onTrial, seen, type SeenCharon, TRIAL } from "./vpn-trial.ts";

/** People who type a name and a password, with real daemons at both sides: who comes in, who is turned away in which words, and the way back. */

let lab: Lab;
let at: HouseRoad;
let hub: End;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfq-${process.pid}` });
  at = await passwordRoad(lab);
  hub = { server: at.hub, agent: new SystemdAgent(at.hub) };
  await hub.agent.install();
});
afterAll(async () => {
  hub.agent.letGo();
  await lab.close();
});

const connected = ({ charon }: { readonly charon: SeenCharon }): readonly string[] =>
  charon.sas.flatMap(({ name, virtualAddresses }) => virtualAddresses.map(() => name)).toSorted();

const passwordsIn = ({ charon }: { readonly charon: SeenCharon }): readonly string[] =>
  charon.keys.filter((id) => id.startsWith("eap-"));

const everybody = (): Json => passwordConfig(at.end);

test("without the plugin the plan says so before anything changes, with the package's name", async () => {
  const conf = "/etc/strongswan.d/charon/eap-mschapv2.conf";
  const was = await at.hub.must(["cat", conf]);
  await at.hub.writeFile(conf, "eap-mschapv2 {\n  load = no\n}\n");
  await at.hub.must(["systemctl", "restart", "strongswan.service"]);
  expect(await hub.agent.findings({ vpn: everybody() }, TRIAL)).toContainEqual(
    expect.objectContaining({
      code: "vpn.no_password_plugin",
      message: expect.stringContaining("eap-mschapv2 (libcharon-extauth-plugins)"),
    }),
  );
  await at.hub.writeFile(conf, was);
  await at.hub.must(["systemctl", "restart", "strongswan.service"]);
});

test("on trial people come in by name and password and packets pass; everybody else is turned away; undone, they are cut off and the server is as it was", async () => {
  const before = await look(at.hub);
  const trial = await onTrial(hub, everybody());
  const [alice, bob] = [await call(at.devices[0], "alice"), await call(at.devices[1], "bob")];
  expect([alice.address, bob.address], alice.log + bob.log).toEqual(["10.99.0.1", "10.99.0.2"]);
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
  expect(await passes(at.devices[1], "10.99.0.2", OFFICE)).toBe(true);
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--alice", "holdfast-staff--bob"]);
  await hangUp(at.devices[1]);
  const carol = await call(at.devices[1], "carol");
  expect(carol.address, carol.log).not.toBeNull();
  await hangUp(at.devices[1]);
  for (const caller of ["mixed", "nobody", "wild"] as const) {
    const refused = await call(at.devices[1], caller);
    expect(refused.address, refused.log).toBeNull();
    expect(refused.log).toMatch(/EAP-MS-CHAPv2 failed|AUTHENTICATION_FAILED|EAP_FAILURE/);
  }
  // Whoever typed it wrong has not cut off who is in.
  expect(await passes(at.devices[0], "10.99.0.1", OFFICE)).toBe(true);
  expect(await at.hub.must(["ls", "/etc/swanctl/conf.d"])).toBe("");
  await abort(hub, trial);
  expect(await look(at.hub)).toBe(before);
  expect(passwordsIn(await seen(hub))).toEqual([]);
  expect(await at.hub.must(["swanctl", "--list-sas"])).toBe("");
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
});

test("confirmed, they come in after a boot too; no password stands anywhere but where strongSwan reads it", async () => {
  await confirm(hub, await onTrial(hub, everybody()));
  hub.agent.letGo();
  await at.hub.reboot();
  await until("strongSwan to have its people again", async () => passwordsIn(await seen(hub)).length === 3, 30_000);
  expect(await seen(hub)).toMatchObject({ drift: false });
  for (const caller of ["alice", "carol"] as const) {
    const called = await call(at.devices[0], caller);
    expect(called.address, called.log).not.toBeNull();
    await hangUp(at.devices[0]);
  }
  for (const password of Object.values(PASSWORDS)) {
    const forms = [password, Buffer.from(password, "utf8").toString("base64")];
    for (const form of forms) {
      const found = await at.hub.exec(["grep", "-rlF", form, "/var/lib/holdfast", "/etc/swanctl", "/run/holdfast"]);
      expect(found.stdout.split("\n").filter((line) => !/holdfast-keys\.conf$|^$/.test(line))).toEqual([]);
      const log = await at.hub.exec(["sh", "-c", 'journalctl --no-pager -q | grep -cF -e "$1"', "sh", form]);
      expect(log.stdout.trim()).toBe("0");
    }
  }
});

test("a new password on trial: the old one is refused and opens nothing; undone, the old one is good again", async () => {
  const before = await call(at.devices[0], "alice");
  expect(before.address, before.log).not.toBeNull();
  const trial = await onTrial(
    hub,
    passwordConfig(at.end, { people: { alice: "alice-2", bob: "bob", carol: "carol" } }),
  );
  expect(connected(await seen(hub))).toEqual([]);
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
  const renewed = await call(at.devices[0], "alice-2");
  expect(renewed.address, renewed.log).not.toBeNull();
  await abort(hub, trial);
  expect(connected(await seen(hub))).toEqual([]);
  expect(await call(at.devices[0], "alice-2")).toMatchObject({ address: null });
  const back = await call(at.devices[0], "alice");
  expect(back.address, back.log).not.toBeNull();
  await hangUp(at.devices[0]);
});

test("one is revoked: out on trial already, in again by the undo, out for good when it is confirmed", async () => {
  expect((await call(at.devices[0], "alice")).address).not.toBeNull();
  expect((await call(at.devices[1], "bob")).address).not.toBeNull();
  const without = passwordConfig(at.end, { revoked: ["alice"] });
  expect(await hub.agent.findings({ vpn: without }, TRIAL)).toContainEqual(
    expect.objectContaining({
      code: "vpn.flaps",
      message: "alice of staff: connected now, cut off, and not let in again.",
    }),
  );
  const trial = await onTrial(hub, without);
  expect(passwordsIn(await seen(hub)).filter((id) => id.includes("alice"))).toEqual([]);
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
  // Nobody else notices.
  expect(connected(await seen(hub))).toEqual(["holdfast-staff--bob"]);
  await abort(hub, trial);
  expect((await call(at.devices[0], "alice")).address).not.toBeNull();
  await hangUp(at.devices[0]);
  await confirm(hub, await onTrial(hub, without));
  expect(await call(at.devices[0], "alice")).toMatchObject({ address: null });
  expect(await at.hub.must(["cat", "/etc/swanctl/conf.d/holdfast-keys.conf"])).not.toContain("alice");
  expect(await seen(hub)).toMatchObject({ drift: false });
});

test("who says another name first is taken for whose password it is, and is out with that person", async () => {
  await confirm(hub, await onTrial(hub, everybody()));
  await hangUp(at.devices[1]);
  await makeLiar(at.devices[1], "bob");
  const liar = await call(at.devices[1], "alice");
  expect(liar.address, liar.log).not.toBeNull();
  const log = await at.hub.must(["journalctl", "--no-pager", "-q", "-n", "80", "-u", "strongswan.service"]);
  expect(log).toContain("received EAP identity 'bob'");
  expect(connected(await seen(hub)), log).toEqual(["holdfast-staff--alice"]);
  await confirm(hub, await onTrial(hub, passwordConfig(at.end, { revoked: ["alice"] })));
  expect(connected(await seen(hub))).toEqual([]);
  expect(await call(at.devices[1], "alice")).toMatchObject({ address: null });
});

test("released, nothing of it is left", async () => {
  await hangUp(at.devices[1]);
  await confirm(hub, await onTrial(hub, null));
  expect(passwordsIn(await seen(hub))).toEqual([]);
  expect(await at.hub.must(["swanctl", "--list-conns"])).toBe("");
  expect(await at.hub.must(["sh", "-c", "ls /etc/swanctl/conf.d /etc/swanctl/private | grep holdfast; true"])).toBe("");
});
