import { readFileSync, writeFileSync } from "node:fs";
import { type Application, type CommandContext, generateHelpTextForAllCommands, text_en } from "@stricli/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildHoldfast } from "../src/app.ts";
import { parseSeconds } from "../src/command/server.ts";
import { plain } from "../src/view/style.ts";
import { relative, secondsLeft } from "../src/view/time.ts";
import { runCli } from "./run-cli.ts";

// The help says nothing of a context, but its type asks for the smallest one.
const commands = generateHelpTextForAllCommands(buildHoldfast(text_en) as unknown as Application<CommandContext>);

test("every verb has a help text with an example, and the whole of it is reviewed", () => {
  for (const [route, help] of commands) expect(help, route).toContain("Example: ");
  const text = commands.map(([route, help]) => `== ${route}\n${help.trimEnd()}\n`).join("\n");
  const golden = new URL("./golden/help.txt", import.meta.url);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
});

test.each([
  ["serve"],
  ["server", "puase"],
  ["apply", "--file"],
  ["server", "show"],
  ["server", "pause", "web-1", "--for", "soon", "--reason", "r"],
])("usage that is wrong ends 2: %j", async (...argv) => {
  expect((await runCli(argv.flat())).exitCode).toBe(2);
});

test("text from outside cannot move the cursor or paint", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(plain(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 200 },
  );
});

test("times read as people say them", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(relative(null, now)).toBe("never");
  expect(relative("2026-01-01T23:59:48Z", now)).toBe("12 s ago");
  expect(relative("2026-01-02T02:00:00Z", now)).toBe("in 2 h");
  expect(relative("2025-12-30T00:00:00Z", now)).toBe("3 d ago");
  expect(secondsLeft("2026-01-01T23:00:00Z", now)).toBe(0);
  expect(secondsLeft("2026-01-02T00:00:00.500Z", now)).toBe(1);
});

test.each([
  ["30m", 1800],
  ["2h", 7200],
  ["1d", 86_400],
  ["60s", 60],
])("%s is a duration", (text, seconds) => {
  expect(parseSeconds(text)).toBe(seconds);
});

test.each(["", "2", "0h", "h", "2 h", "2w", "-1h", "99999999h"])("%j is no duration", (text) => {
  expect(() => parseSeconds(text)).toThrow("is no duration");
});
