/** The control plane gets another address, and the servers follow one by one. docs/operations/moving-the-control-plane.md */
import { policyText, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { CONTROL_NETWORK, DIAL_ADDRESS, UNTOLD_DIAL_ADDRESS } from "@holdfast/testkit/house/house-networks.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Stage } from "../fault-matrix/stage.ts";
import { endOf } from "../one-apply.ts";

const OLD = DIAL_ADDRESS;
const NEW = UNTOLD_DIAL_ADDRESS;
const PORT = 7081;
const FLOOR = "/etc/holdfast/floor.json";

let house: House;
let stage: Stage;
let close: () => Promise<void> = () => Promise.resolve();
/** What the control plane is started with. */
const environment: Record<string, string> = {};

beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", kind: "systemd" }], environment });
  close = () => house.close();
  stage = Stage.of(house);
}, 240_000);
afterAll(() => close(), 60_000);

const move = (to: string, ...more: readonly string[]) => stage.server.agent.run("move", "--control", to, ...more);
const dialled = async (): Promise<string> =>
  stage.server.machine.must(["ss", "-H", "-t", "-n", "state", "established", "dport", "=", `:${String(PORT)}`]);

/** Every way out is shut but what is said: the way to the control plane is what Holdfast itself keeps open. */
async function shutTheWayOut(title: string, extra: string): Promise<void> {
  const inbound = { ...USUAL_RULES, extra: `allow: tcp/${extra}, from: any` };
  const text = policyText({ server: stage.server.name, inbound, outboundDefault: "drop" });
  const change = await house.operator.plan(title, [text]);
  const begun = await stage.apply(change);
  expect(await endOf(house, begun.applyId)).toMatchObject({ state: "APPLIED" });
}

test("an address that a policy keeps shut is refused before anything is written, and so is one where another house answers", async () => {
  await shutTheWayOut("Nothing goes out", "20001");
  const before = [await stage.server.machine.readFile(FLOOR), await dialled()];
  const refused = await move(`${NEW}:${String(PORT)}`);
  expect(refused.code, refused.stderr).toBe(4);
  expect(refused.stderr).toContain("Nothing was changed");
  expect((await move("nonsense")).code).toBe(2);
  expect([await stage.server.machine.readFile(FLOOR), await dialled()]).toEqual(before);
});

test("the control plane is told first; with the next change each server keeps the new address open, and then it is moved", async () => {
  await house.stopControl();
  environment["HOLDFAST_AGENT_NAMES"] = `${NEW},${OLD}`;
  await house.startControl();
  await house.operator.waitConnected([stage.server.name]);
  expect(await dialled()).toContain(`${OLD}:`);
  await shutTheWayOut("Both addresses are kept open", "20002");
  const moved = await move(`${NEW}:${String(PORT)}`);
  expect(moved, moved.stderr).toMatchObject({ code: 0 });
  await stage.server.agent.waitForSession();
  await house.operator.waitConnected([stage.server.name]);
  expect(await dialled()).toContain(`${NEW}:`);
  expect(await dialled()).not.toContain(`${OLD}:`);
  expect(JSON.parse((await stage.server.machine.readFile(FLOOR)) ?? "")).toMatchObject({
    controlPlane: [
      { address: OLD, port: PORT },
      { address: NEW, port: PORT },
    ],
    inbound: [{ networks: [CONTROL_NETWORK] }],
  });
});

test(
  "the old address goes: changes are confirmed over the new one alone, also after a boot",
  { timeout: 240_000 },
  async () => {
    const forgotten = await move(`${NEW}:${String(PORT)}`, "--only");
    expect(forgotten, forgotten.stderr).toMatchObject({ code: 0 });
    const floor: unknown = JSON.parse((await stage.server.machine.readFile(FLOOR)) ?? "");
    expect(floor).toMatchObject({
      controlPlane: [{ address: NEW, port: PORT }],
      inbound: [{ networks: [CONTROL_NETWORK] }],
    });
    await stage.server.agent.waitForSession();
    await house.stopControl();
    environment["HOLDFAST_AGENT_NAMES"] = NEW;
    await house.startControl();
    const router = house.networks.router;
    expect((await router.exec(["ip", "address", "del", `${OLD}/24`, "dev", "core"])).code).toBe(0);
    await house.makeWhole();
    await shutTheWayOut("Without the old address", "20003");
    await stage.server.machine.reboot();
    await house.makeWhole();
    await shutTheWayOut("After a boot", "20004");
  },
);

test("not while a transaction is open", async () => {
  const begun = await stage.at("on_trial", async () => {
    const refused = await move(`${NEW}:${String(PORT)}`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("a transaction is open");
  });
  await endOf(house, begun.applyId);
});
