import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply, change, danger, plan, rollout } from "./specimens.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
  api.on("POST /servers/web-1/release", { json: {} });
});
afterEach(() => api.close());

const TEXT = "apiVersion: holdfast/v1\nkind: Server\nname: web-1\nlabels: { role: web } # the first\n";
const LEFT = `${TEXT}leaves: true\n`;
const RESTORE = ["server", "release", "web-1", "sold", "--restore", "--yes", "--accept-danger"] as const;

function document(text: string, isInForce: boolean): object {
  const inForceOn = isInForce ? [{ server: "web-1", revision: 3 }] : [];
  const head = {
    kind: "Server",
    name: "web-1",
    revision: 3,
    digest: "d",
    author: "kim",
    at: "2026-01-02T03:04:00.000Z",
  };
  return { ...head, deleted: false, inForceOn, text, etag: "3" };
}

function ends(state: "APPLIED" | "ROLLED_BACK"): void {
  const plans = [plan({ findings: [danger] })];
  api.on("GET /documents/Server/web-1", { json: document(TEXT, true) });
  api.on("POST /changes", { json: change([]) }).on("POST /changes/change-1/plan", { json: change(plans) });
  api.on("POST /changes/change-1/apply", { json: rollout(null, { state: "RUNNING" }) });
  const one = apply(state === "APPLIED" ? {} : { state, serverIs: "as_before", code: "apply.probe_failed" });
  api.on("GET /rollouts/rollout-1", { json: rollout(one, { state: state === "APPLIED" ? "DONE" : "HALTED" }) });
}

const asked = (): readonly string[] => api.asked.map(({ route }) => route);

test("without more words it keeps what is in force, in one call", async () => {
  const ran = await runCli(["server", "release", "web-1", "sold"], { url: api.url });
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("keeps what is in force") as string });
  expect(asked()).toEqual(["POST /servers/web-1/release"]);
  expect(api.bodyOf("POST /servers/web-1/release")).toEqual({ reason: "sold" });
});

test("--restore: the server leaves by a change of its document, comments and all, and is released when that is in force", async () => {
  ends("APPLIED");
  const ran = await runCli(RESTORE, { url: api.url });
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("what it was before Holdfast") as string });
  expect(api.bodyOf("POST /changes")).toMatchObject({ documents: [{ text: LEFT }], reason: "sold" });
  expect(asked().at(-1)).toBe("POST /servers/web-1/release");
});

test("a change that was undone releases nothing, and the exit code is that of the apply", async () => {
  ends("ROLLED_BACK");
  const ran = await runCli(RESTORE, { url: api.url });
  expect(ran).toMatchObject({ exitCode: 3, stdout: expect.stringContaining("web-1 is not released") as string });
  expect(asked()).not.toContain("POST /servers/web-1/release");
});

test("a danger that nobody accepted releases nothing", async () => {
  ends("APPLIED");
  const ran = await runCli(["server", "release", "web-1", "sold", "--restore", "--yes"], { url: api.url });
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--accept-danger") as string });
  expect(asked()).not.toContain("POST /servers/web-1/release");
});

test("given again after an interruption, it goes on: a server that has left is released at once", async () => {
  api.on("GET /documents/Server/web-1", { json: document(LEFT, true) });
  expect(await runCli(RESTORE, { url: api.url })).toMatchObject({ exitCode: 0 });
  expect(asked()).toEqual(["GET /documents/Server/web-1", "POST /servers/web-1/release"]);
});
