/** One request_id through the agent on a real server with systemd: what every process wrote for it is found by journald's own field. */
import { whyNotALine } from "@holdfast/core/log/line.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { lettingIn } from "./firewall-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfj-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["nftables"], attachments: [] });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

type Entry = Readonly<Record<string, string>>;

async function journal(...match: readonly string[]): Promise<readonly Entry[]> {
  const text = await server.must(["journalctl", "--no-pager", "-q", "-o", "json", ...match]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Entry);
}

/** What the agent's processes wrote as their log; systemd's own words about units are not ours. */
const ours = (entries: readonly Entry[]): readonly Entry[] =>
  entries.filter(({ SYSLOG_IDENTIFIER }) => /^holdfast-(guard|module|revert)$/.test(SYSLOG_IDENTIFIER ?? ""));
const messages = (entries: readonly Entry[], identifier: string): readonly string[] =>
  ours(entries)
    .filter(({ SYSLOG_IDENTIFIER }) => SYSLOG_IDENTIFIER === identifier)
    .map(({ MESSAGE }) => (JSON.parse(MESSAGE ?? "") as { message: string }).message);

test("journalctl REQUEST_ID=… finds what guard, module, native command and undo wrote, in order, and nothing of another", async () => {
  const [kept, nonce] = [makeRequestId(), makeNonce()];
  const times = { windowSeconds: 60, reconnectSeconds: 60 };
  await agent.prepare(kept, lettingIn(80), times);
  expect((await agent.execute(kept, nonce)).phase).toBe(TransactionPhase.ON_TRIAL);
  expect((await agent.confirm(kept, nonce)).phase).toBe(TransactionPhase.FINALIZED);
  const undone = makeRequestId();
  await agent.prepare(undone, lettingIn(443), times);
  await agent.execute(undone, makeNonce());
  expect((await agent.abort(undone)).phase).toBe(TransactionPhase.REVERTED);
  // Nothing waits for the log: its lines come to journald a moment later.
  await expect
    .poll(async () => messages(await journal(`REQUEST_ID=${kept}`), "holdfast-guard").at(-1), { timeout: 15_000 })
    .toBe("finalized");
  await expect
    .poll(async () => messages(await journal(`REQUEST_ID=${kept}`), "holdfast-module").includes("persist done"), {
      timeout: 15_000,
    })
    .toBe(true);
  await expect
    .poll(async () => messages(await journal(`REQUEST_ID=${undone}`), "holdfast-revert").includes("native command"), {
      timeout: 15_000,
    })
    .toBe(true);

  const ofKept = await journal(`REQUEST_ID=${kept}`);
  expect(messages(ofKept, "holdfast-guard")).toEqual([
    "transaction prepared",
    "step begins",
    "on trial",
    "confirmed",
    "finalized",
  ]);
  expect(messages(ofKept, "holdfast-module")).toEqual(
    expect.arrayContaining(["native command", "step done", "persist done"]),
  );
  expect(messages(ofKept, "holdfast-revert")).toEqual([]);
  const native = ofKept.find(({ MESSAGE }) => MESSAGE?.includes('"native command"'));
  expect(native).toMatchObject({
    REQUEST_ID: kept,
    DOMAIN: "firewall",
    _SYSTEMD_UNIT: "holdfast-module@firewall.service",
  });
  expect(JSON.parse(native?.["MESSAGE"] ?? "")).toMatchObject({ program: "nft", status: 0 });

  const ofUndone = await journal(`REQUEST_ID=${undone}`);
  expect(messages(ofUndone, "holdfast-guard")).toContain("undo asked for");
  expect(messages(ofUndone, "holdfast-revert")).toContain("native command");

  // Every line of the agent is a line as the table has it; those that name a request have its field, and no other does.
  const all = ours(await journal());
  expect(all.map(({ MESSAGE }) => whyNotALine(MESSAGE ?? "")).filter((why) => why !== null)).toEqual([]);
  for (const entry of all) {
    const said = (JSON.parse(entry["MESSAGE"] ?? "") as { request_id?: string }).request_id;
    if (said !== undefined) expect(entry["REQUEST_ID"], entry["MESSAGE"]).toBe(said);
    else if (entry["SYSLOG_IDENTIFIER"] !== "holdfast-revert") expect(entry["REQUEST_ID"]).toBeUndefined();
  }
});
