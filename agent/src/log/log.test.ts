import { execFileSync } from "node:child_process";
import { whyNotALine } from "@holdfast/core/log/line.ts";
import { expect, test } from "vitest";
import { isJournal } from "../os/journal.ts";

const LOG = new URL("./log.ts", import.meta.url).href;

/** What another process writes with the agent's log. */
function written(role: string): readonly string[] {
  const program = `
    const { openLog } = await import(${JSON.stringify(LOG)});
    const log = openLog(${JSON.stringify(role)}, 1).with({ serverId: "s1" });
    log.info("one", { requestId: "r1", domain: "firewall" }, { step: "a" });
    log.warn("two");
    log.error("three", { resultCode: "x.y" });`;
  const argv = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program];
  return execFileSync(process.execPath, argv, { encoding: "utf8", cwd: import.meta.dirname })
    .trimEnd()
    .split("\n");
}

test("every line is one JSON object with the standard members and names", () => {
  const lines = written("guard");
  expect(lines.map(whyNotALine)).toEqual([null, null, null]);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "info",
    message: "one",
    process: "guard",
    request_id: "r1",
    domain: "firewall",
    server_id: "s1",
    step: "a",
  });
  expect(JSON.parse(lines[2] ?? "")).toMatchObject({ level: "error", result_code: "x.y" });
});

test("a process that has no descriptors left says that the journal did not take it, and lives", () => {
  const journal = new URL("../os/journal.ts", import.meta.url).href;
  const program = `
    const { openSync } = await import("node:fs");
    const { sendToJournal } = await import(${JSON.stringify(journal)});
    try { for (;;) openSync("/dev/null", "r"); } catch (error) { console.log(error.code); }
    console.log(await sendToJournal({ MESSAGE: "m" }));`;
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program];
  const said = execFileSync("prlimit", ["--nofile=64:64", ...node], { encoding: "utf8", cwd: import.meta.dirname });
  expect(said).toBe("EMFILE\nfalse\n");
});

test("only systemd's own stream is taken for the journal", () => {
  expect(isJournal(1, {})).toBe(false);
  expect(isJournal(1, { JOURNAL_STREAM: "1:1" })).toBe(false);
});
