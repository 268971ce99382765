import { auditEntrySchema } from "@holdfast/core/api/account.ts";
/** One press of the button through the whole house: the API's request, the rows, the saga, the wire, guard, module and native command. */
import { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { whyNotALine } from "@holdfast/core/log/line.ts";
import { OpenObserve } from "@holdfast/testkit/collector/openobserve.ts";
import { policyText } from "@holdfast/testkit/house/documents.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { until } from "@holdfast/testkit/until.ts";
import { journalEvent, remap } from "@holdfast/testkit/vector/vrl.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { applyPlanned, endOf, planOn } from "../one-apply.ts";

let house: House;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", kind: "systemd" }] });
  close = () => house.close();
}, 240_000);
afterAll(() => close(), 60_000);

type Line = Readonly<Record<string, string | undefined>>;

function linesOfControl(): readonly Line[] {
  const lines = house
    .controlOutput()
    .split("\n")
    .filter((line) => line.startsWith("{"));
  expect(lines.map(whyNotALine).filter((why) => why !== null)).toEqual([]);
  return lines.map((line) => JSON.parse(line) as Line);
}

test("from the API's own request to the native command on the server, and in the proof", async () => {
  const server = house.server("web-1");
  const change = await planOn(
    house,
    server,
    policyText({ server: "web-1", inbound: { more: "allow: tcp/8081, from: any" } }),
  );
  const { applyId } = await applyPlanned(house, server, change);
  expect(await endOf(house, applyId)).toMatchObject({ state: "APPLIED" });
  const { requestId } = await house.operator.call("getApply", { params: { id: applyId }, answer: applyDetailSchema });
  if (requestId === null) throw new Error("the apply has no request id");

  // The API's own line of the press, and the saga's lines of what it began: one trace, one request.
  await until("the saga's last line", () =>
    linesOfControl().some((line) => line["request_id"] === requestId && line["message"] === "apply ended"),
  );
  const pressed = linesOfControl()
    .filter((line) => line["route"] === "applyChange")
    .at(-1);
  const [saga, signer] = ["control", "signer"].map((process) =>
    linesOfControl().filter((line) => line["request_id"] === requestId && line["process"] === process),
  ) as [Line[], Line[]];
  expect(saga.length).toBeGreaterThan(2);
  for (const line of saga)
    expect(line).toMatchObject({
      trace_id: pressed?.["trace_id"],
      target_host: "web-1",
      change_id: change.id,
    });
  // The process that signs says of each command what it was asked for: whoever follows a request sees whose word the server obeyed.
  expect([...new Set(signer.map(({ message, ask, result_code }) => `${message} ${ask} ${result_code}`))]).toEqual([
    "signed prepare ok",
    "signed execute ok",
    "signed confirm ok",
  ]);

  // The proof: who, on which server.
  const audited = await house.operator.call("listAudit", {
    query: { requestId },
    answer: z.object({ items: z.array(auditEntrySchema) }),
  });
  expect(audited.items.map(({ action }) => action)).toContain("apply.applied");

  // The server, by journald's own field. Nothing waits for the log, so its last lines may come a moment after the answer.
  const expected = [
    "holdfast-guard: transaction prepared",
    "holdfast-guard: on trial",
    "holdfast-session: on trial: every session is closed and a new one dialled",
    "holdfast-module: native command",
    "holdfast-module: step done",
    "holdfast-guard: confirmed",
    "holdfast-guard: finalized",
  ];
  const journal = async (): Promise<readonly Line[]> =>
    (await server.machine.must(["journalctl", "--no-pager", "-q", "-o", "json", `REQUEST_ID=${requestId}`]))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  const said = async (): Promise<readonly string[]> =>
    (await journal()).map(
      ({ SYSLOG_IDENTIFIER, MESSAGE }) =>
        `${SYSLOG_IDENTIFIER ?? ""}: ${(JSON.parse(MESSAGE ?? "{}") as Line)["message"] ?? ""}`,
    );
  await expect.poll(said, { timeout: 15_000 }).toEqual(expect.arrayContaining(expected));
  expect((await journal()).every(({ REQUEST_ID }) => REQUEST_ID === requestId)).toBe(true);

  // What one apply writes, in lines and bytes: whoever adds a line to every apply of a fleet does it knowingly.
  const ofControl = linesOfControl().filter(
    (line) => line["request_id"] === requestId || line["trace_id"] === pressed?.["trace_id"],
  );
  const ofServer = (await journal()).map(({ MESSAGE }) => MESSAGE ?? "");
  const bytes = (texts: readonly string[]): number => texts.join("\n").length;
  const volume = {
    control: { lines: ofControl.length, bytes: bytes(ofControl.map((line) => JSON.stringify(line))) },
    server: { lines: ofServer.length, bytes: bytes(ofServer) },
  };
  expect(volume.control.lines, JSON.stringify(volume)).toBeLessThanOrEqual(16);
  expect(volume.server.lines, JSON.stringify(volume)).toBeLessThanOrEqual(28);
  expect(volume.control.bytes + volume.server.bytes, JSON.stringify(volume)).toBeLessThanOrEqual(13_000);

  // As Vector reads it, and as OpenObserve is told: every line of them is a record that is found by its request, its server and its process.
  const records = (await journal()).map((entry) => remap(journalEvent(entry)));
  for (const record of records)
    expect(record).toMatchObject({ request_id: requestId, target_host: "web-1", host: "web-1", level: "info" });
  const openObserve = await OpenObserve.open("ship@example.com", "canary");
  try {
    const answer = await fetch(`${openObserve.origin}/api/default/holdfast/_json`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from("ship@example.com:canary").toString("base64")}` },
      body: JSON.stringify(records),
    });
    expect(await answer.json()).toMatchObject({ status: [{ successful: records.length, failed: 0 }] });
  } finally {
    await openObserve.close();
  }
});
