import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Measures } from "./measures.ts";
import { serveMeasures } from "./serve-measures.ts";

const FACTS = {
  version: "1.2.3",
  connections: 1,
  certificateEndsMs: 86_400_000,
  nowMs: 0,
  residentBytes: 60_000_000,
  uptimeSeconds: 7,
};

const names = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));

test("it counts, and whatever happens it never has a sample more than at the start", () => {
  const measures = new Measures();
  const before = names(measures.text(FACTS));
  for (let count = 0; count < 3; count++) measures.command("execute", "passed_on");
  measures.command("confirm", "refused");
  measures.sessionBegan();
  measures.dialFailed();
  measures.drift("firewall", true, true);
  measures.drift('x"} 1\nholdfast_other', true, true);
  const text = measures.text(FACTS);
  expect(names(text)).toEqual(before);
  expect(new Set(before).size).toBe(before.length);
  for (const line of [
    'holdfast_agent_commands_total{verb="execute",result="passed_on"} 3',
    'holdfast_agent_commands_total{verb="confirm",result="refused"} 1',
    'holdfast_agent_drifted{domain="firewall"} 1',
    'holdfast_agent_floor_lost{domain="firewall"} 1',
    "holdfast_agent_certificate_expiry_seconds 86400",
    "holdfast_agent_connected 1",
  ])
    expect(text.split("\n")).toContain(line);
});

function ask(socketPath: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on("error", reject).end();
  });
}

test("over a socket that root and its own account may open; who says nothing keeps nobody else out for ever", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-measures-"));
  const path = join(folder, "run/metrics.sock");
  const measures = new Measures();
  const served = await serveMeasures(path, () => measures.text(FACTS));
  try {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask(path, "/metrics")).toMatchObject({ status: 200, text: measures.text(FACTS) });
    expect(await ask(path, "/")).toEqual({ status: 404, text: "" });
    // More than may be there at once: those that are too many are closed at once.
    const silent = Array.from({ length: 8 }, () => connect(path).on("error", () => undefined));
    await Promise.all(silent.slice(4).map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    for (const socket of silent) socket.destroy();
    await expect.poll(() => ask(path, "/metrics").catch(() => null)).toMatchObject({ status: 200 });
  } finally {
    served.close();
    rmSync(folder, { recursive: true });
  }
});
