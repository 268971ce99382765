/** The server that runs the control plane itself: what it hears from itself proves nothing, so a person on another machine decides. */
import { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { rolloutSchema } from "@holdfast/core/api/change.ts";
import { installAgent } from "@holdfast/testkit/agents/install-agent.ts";
import { ControlInstance } from "@holdfast/testkit/control-plane/control-instance.ts";
import { floorText, policyText } from "@holdfast/testkit/house/documents.ts";
import { CONTROL_NETWORK } from "@holdfast/testkit/house/house-networks.ts";
import { ApiRefusal, Operator } from "@holdfast/testkit/operator/operator.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabNode } from "@holdfast/testkit/servers/node.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { Relay } from "@holdfast/testkit/servers/relay.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const ADDRESS = "192.0.2.11";
const HTTP_PORT = 7080;
const WINDOW_SECONDS = 24;
const NAME = "home-1";
const CONTROL = {
  HOLDFAST_DATA_DIR: "/var/lib/holdfast-control",
  HOLDFAST_HTTP_HOST: "0.0.0.0",
  HOLDFAST_HTTP_PORT: String(HTTP_PORT),
  HOLDFAST_AGENT_NAMES: ADDRESS,
  HOLDFAST_ENROLMENT_APPROVAL: "off",
} as const;
const CONSOLE_RULE = { console: `allow: tcp/${HTTP_PORT}, from: any` } as const;

let server: LabServer;
let visitor: LabNode;
let control: ControlInstance;
/** Somebody on another machine. */
let operator: Operator;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const lab = Lab.open({ prefix: `hfe-${process.pid}-home` });
  closing.push(() => lab.close());
  const lan = await lab.network({ name: "lan", subnet4: "192.0.2.0/24" });
  server = lab.server({
    name: NAME,
    kind: "systemd",
    attachments: [{ network: lan, interface: "eth0", addresses: [ADDRESS] }],
  });
  visitor = await lab.bare({
    name: "visitor",
    attachments: [{ network: lan, interface: "eth0", addresses: ["192.0.2.200"] }],
  });
  await server.start();
  const door = await Relay.into(lab, { host: "127.0.0.1", port: 0 }, visitor, { host: ADDRESS, port: HTTP_PORT });
  closing.push(() => door.close());
  const url = `http://127.0.0.1:${door.port}`;
  const login = await startControl(url);
  if (login === null) throw new Error(`there is no login:\n${control.output}`);
  operator = (await Operator.first(url, login)).operator;
  await installAgent(server, await operator.expectServer(NAME, {}), { managementNetworks: [CONTROL_NETWORK] });
  await operator.waitConnected([NAME]);
}, 240_000);
afterAll(async () => {
  await control.stop();
  for (const close of closing.toReversed()) await close();
}, 60_000);

async function startControl(url: string): Promise<Awaited<ControlInstance["login"]>> {
  control = new ControlInstance(server, CONTROL);
  await control.ready(url);
  return control.login;
}

/** Until it waits for a person, who has seen nothing yet. */
async function onTrial(title: string, texts: readonly string[]): Promise<{ applyId: string; rolloutId: string }> {
  const change = await operator.plan(title, texts);
  expect(change.plans.flatMap(({ findings }) => findings.map(({ code }) => code))).toContain("plan.runs_control_plane");
  const rollout = await operator.applyPlanned(change);
  if (rollout === null) throw new Error("nothing is planned");
  let applyId = "";
  await until(
    "the trial to wait for a person",
    async () => {
      const now = await operator
        .call("getRollout", { params: { id: rollout.id }, answer: rolloutSchema })
        .catch(() => null);
      const apply = now?.waves.flatMap((wave) => wave.servers).find((one) => one.apply !== null)?.apply;
      applyId = apply?.id ?? "";
      return apply?.phase === "on_trial" && apply.waitingFor?.includes("a person") === true;
    },
    WINDOW_SECONDS * 1_000,
    ASK_API_EVERY_MS,
  );
  return { applyId, rolloutId: rollout.id };
}

const confirm = (id: string): Promise<unknown> =>
  operator.call("confirmApply", { params: { id }, body: {}, answer: z.unknown() });

/** As a browser does: once more, over the new connection that a refusal makes necessary. */
async function confirmFromOutside(id: string): Promise<void> {
  const tooEarly = ["apply.connection_too_old", "apply.not_now"];
  await until(
    "a confirmation that counts",
    async () => {
      try {
        await confirm(id);
        return true;
      } catch (error) {
        if (error instanceof ApiRefusal && tooEarly.includes(error.code)) return false;
        throw error;
      }
    },
    WINDOW_SECONDS * 1_000,
    ASK_API_EVERY_MS,
  );
}

const floor = floorText({ reconnect: 10, soak: 1, window: WINDOW_SECONDS });
const policy = (mode: "observe" | "enforce", inbound: Readonly<Record<string, string>>): string =>
  policyText({ server: NAME, mode, inbound });

test("a person elsewhere confirms over a new connection; the server itself cannot", async () => {
  const first = await onTrial("Observe first", [floor, policy("observe", CONSOLE_RULE)]);
  const inside = await server.exec([
    "sh",
    "-c",
    `exec curl -sS -X POST -H 'authorization: Bearer ${operator.token}' -H 'content-type: application/json' -d '{}' http://127.0.0.1:${HTTP_PORT}/api/v1/applies/${first.applyId}/confirm`,
  ]);
  expect(inside.stdout, inside.stderr).toContain("apply.confirmed_from_inside");
  await confirmFromOutside(first.applyId);
  expect((await operator.waitRollout(first.rolloutId)).state).toBe("DONE");

  const second = await onTrial("Enforce", [policy("enforce", CONSOLE_RULE)]);
  await confirmFromOutside(second.applyId);
  expect((await operator.waitRollout(second.rolloutId)).state).toBe("DONE");
  expect(await tcpConnect(visitor, ADDRESS, HTTP_PORT)).toBe("open");
});

test("a change that shuts the console to the outside is undone though the server hears itself, and nobody can confirm it", async () => {
  const change = await operator.plan("Shut the console", [policy("enforce", {})]);
  const rollout = await operator.applyPlanned(change);
  await until(
    "the console to be shut",
    async () => (await tcpConnect(visitor, ADDRESS, HTTP_PORT, { timeoutMs: 500 })) !== "open",
    WINDOW_SECONDS * 1_000,
  );
  await until(
    "the console to be open again",
    async () => (await tcpConnect(visitor, ADDRESS, HTTP_PORT, { timeoutMs: 500 })) === "open",
    WINDOW_SECONDS * 3_000,
  );
  const ended = await operator.waitRollout(rollout?.id ?? "");
  const [apply] = ended.waves.flatMap((wave) => wave.servers).map((one) => one.apply);
  const end = await operator.call("getApply", { params: { id: apply?.id ?? "" }, answer: applyDetailSchema });
  expect(end).toMatchObject({ state: "ROLLED_BACK", serverIs: "as_before" });
});

test("the control plane is killed while its own server is on trial: the server comes back by itself, and says so when it is asked again", async () => {
  const { applyId } = await onTrial("Killed", [
    policy("enforce", { ...CONSOLE_RULE, more: "allow: tcp/20001, from: any" }),
  ]);
  control.signal("SIGKILL");
  await control.ended;
  await until(
    "the server to undo",
    async () => !(await server.must(["nft", "list", "table", "inet", "holdfast"])).includes("20001"),
    WINDOW_SECONDS * 3_000,
  );
  await startControl(operator.url);
  await operator.waitConnected([NAME]);
  await until(
    "the end to be known",
    async () => {
      const end = await operator.call("getApply", { params: { id: applyId }, answer: applyDetailSchema });
      return end.state === "ROLLED_BACK" && end.serverIs === "as_before";
    },
    60_000,
    ASK_API_EVERY_MS,
  );
});
