/**
 * There is no control plane and there will be none: what a person with root does on a server, with nothing but what is on it.
 * docs/operations/by-hand-on-a-server.md
 */
import { House } from "@holdfast/testkit/house/house.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { Stage } from "../fault-matrix/stage.ts";

let house: House;
let stage: Stage;
let close: () => Promise<void> = () => Promise.resolve();
/** Long enough for a person: what comes back sooner was put back by hand. */
const WINDOW = 100;

beforeAll(async () => {
  house = await House.open({
    servers: [{ name: "web-1", kind: "systemd" }],
    trial: { reconnect: 60, soak: 1, window: WINDOW },
  });
  close = () => house.close();
  stage = Stage.of(house);
}, 300_000);
afterAll(() => close(), 60_000);

const statusSchema = z.looseObject({
  generation: z.int(),
  open: z.looseObject({ requestId: z.string(), last: z.string() }).nullable(),
});
const status = async () => statusSchema.parse(await stage.server.agent.status());
const root = (...words: readonly string[]) => stage.server.machine.must([...words], { timeoutMs: 60_000 });

/** A change is on trial, and the control plane is gone for good. */
async function aloneOnTrial(): Promise<string> {
  await stage.at("on_trial", () => house.killControl(), { windowSeconds: WINDOW, soakSeconds: 60 });
  const { open } = await status();
  expect(open).toMatchObject({ last: "on_trial" });
  expect(await stage.server.ownTable()).not.toBe(stage.tableBefore);
  return open?.requestId ?? "";
}

test("status says what is open and how long it has left, and why tells its story; revert puts the server back at once", async () => {
  const requestId = await aloneOnTrial();
  const said = await stage.server.agent.run("status");
  expect(said.stdout).toContain(requestId);
  expect((await stage.server.agent.run("why")).stdout).toContain(requestId);
  const reverted = await stage.server.agent.run("revert", "--yes");
  expect(reverted, reverted.stderr).toMatchObject({ code: 0 });
  expect(await stage.server.ownTable()).toBe(stage.tableBefore);
  expect(await status()).toMatchObject({ open: null });
  expect((await stage.server.agent.run("why", requestId)).stdout).toContain(
    "Somebody with root on the server undid it.",
  );
  await stage.atRest();
});

test("confirm asks for a word that a new connection works, and keeps what is on trial, on the next boot too", async () => {
  await aloneOnTrial();
  const { generation } = await status();
  const wanted = await stage.server.ownTable();
  expect((await stage.server.agent.run("confirm")).code).toBe(1);
  const confirmed = await stage.server.agent.run("confirm", "--yes");
  expect(confirmed, confirmed.stderr).toMatchObject({ code: 0 });
  expect(await status()).toMatchObject({ generation: generation + 1, open: null });
  await stage.server.machine.reboot();
  expect(await stage.server.ownTable()).toBe(wanted);
  // A control plane that comes back after all takes the server at its word.
  await stage.atRest();
});

test("where the command line of the agent is broken, its unit is the way back", async () => {
  const requestId = await aloneOnTrial();
  const wrapper = (await stage.server.machine.readFile("/usr/local/bin/holdfast-agent")) ?? "";
  await stage.server.machine.writeFile("/usr/local/bin/holdfast-agent", "#!/bin/sh\nexit 1\n", 0o755);
  expect(await root("systemctl", "list-timers", "--all", "--no-legend", "holdfast-revert@*")).toContain(requestId);
  await root("systemctl", "start", `holdfast-revert@${requestId}.service`);
  await until("the undo", async () => (await stage.server.ownTable()) === stage.tableBefore, 30_000);
  await stage.server.machine.writeFile("/usr/local/bin/holdfast-agent", wrapper, 0o755);
  expect(await status()).toMatchObject({ open: null });
  await stage.atRest();
});

test(
  "Holdfast's table is taken away by hand, and does not come back at the next boot",
  { timeout: 240_000 },
  async () => {
    await house.stopControls();
    // A drop that nobody wants any more: 9090 is not among the usual rules.
    expect(await tcpConnect(house.networks.visitor, stage.server.address, 9090, { timeoutMs: 500 })).not.toBe("open");
    await root(
      "systemctl",
      "stop",
      "holdfast-agent.service",
      "holdfast-tend.timer",
      "holdfast-guard.socket",
      "holdfast-capture.socket",
      "holdfast-module@*.socket",
    );
    await root("systemctl", "stop", "holdfast-guard.service", "holdfast-module@*.service");
    await root("nft", "delete", "table", "inet", "holdfast");
    expect(await tcpConnect(house.networks.visitor, stage.server.address, 9090)).toBe("open");
    // Without this the next boot puts what is confirmed into force again: that is what it is for.
    await root(
      "systemctl",
      "disable",
      "holdfast-boot.service",
      "holdfast-recover.service",
      "holdfast-tend.timer",
      "holdfast-agent.service",
      "holdfast-guard.socket",
      "holdfast-capture.socket",
    );
    await stage.server.machine.reboot();
    await house.listen(stage.server);
    expect(await stage.server.ownTable()).toBe("");
    expect(await tcpConnect(house.networks.visitor, stage.server.address, 9090)).toBe("open");
    // Nothing is lost by it: started again, and once booted, the server is what it confirmed.
    await stage.server.agent.restart();
    await root("systemctl", "start", "holdfast-recover.service");
    expect(await stage.server.ownTable()).not.toBe("");
  },
);
