import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { brokenLine, openSignedLog } from "./signed-log.ts";

test("each line carries the hash of the one before it, over a restart and a line that a crash has cut; an edited or missing one is found", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-signed-"));
  try {
    const path = join(folder, "signed.jsonl");
    const first = await openSignedLog(folder);
    await Promise.all([first.append({ ask: "prepare" }), first.append({ ask: "execute" })]);
    await appendFile(path, '\n{"ask":"conf');
    const second = await openSignedLog(folder);
    await second.append({ ask: "confirm" });
    await second.append({ ask: "abort" });
    const text = await readFile(path, "utf8");
    expect(text.match(/"n":\d/g)).toEqual(['"n":1', '"n":2', '"n":3', '"n":4']);
    expect(brokenLine(text)).toBeNull();
    expect(brokenLine(text.replace('"execute"', '"abort"'))).toBe(3);
    const lines = text.split("\n");
    expect(brokenLine(lines.filter((line) => !line.includes('"confirm"')).join("\n"))).toBe(4);
  } finally {
    await rm(folder, { recursive: true });
  }
});
