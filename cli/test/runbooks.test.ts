/** The runbooks against the programs: at night nobody should find that a command of a page does not exist. */
import { readdirSync, readFileSync } from "node:fs";
import { ALERT_KINDS, ALERTS, runbookOf } from "@holdfast/core/alert/kind.ts";
import { type Application, type CommandContext, generateHelpTextForAllCommands, text_en } from "@stricli/core";
import { expect, test } from "vitest";
import { buildHoldfast } from "../src/app.ts";

const repository = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, repository), "utf8");
// The help says nothing of a context, but its type asks for the smallest one.
const help = new Map(generateHelpTextForAllCommands(buildHoldfast(text_en) as unknown as Application<CommandContext>));
const agentHelp = read("agent/src/cli/help.ts");
const AGENT_VERBS = [...agentHelp.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, verb]) => verb);

/** What stands between backticks and begins with one of our programs, also over the end of a line. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/`((?:holdfast|holdfast-agent) [^`]+)`/g)].map(([, command = ""]) =>
    command.replaceAll(/\s+/g, " "),
  );
}

function whyUnknown(command: string): string | null {
  const [program, ...words] = command.split(" ");
  if (program === "holdfast-agent") {
    const flags = words.filter((word) => word.startsWith("--"));
    if (!AGENT_VERBS.includes(words[0] ?? "")) return `holdfast-agent has no ${words[0] ?? "verb"}`;
    return flags.find((flag) => !agentHelp.includes(flag)) ?? null;
  }
  const route = [4, 3, 2].map((count) => command.split(" ").slice(0, count).join(" ")).find((name) => help.has(name));
  if (route === undefined) return "there is no such verb";
  const text = help.get(route) ?? "";
  const flags = words.filter((word) => /^--?[a-z]/.test(word));
  return flags.find((flag) => !new RegExp(`[\\s([]${flag}\\b`).test(text)) ?? null;
}

test.each(ALERT_KINDS)("%s has its page, with what it means, what to look at and what to do", (kind) => {
  const page = read(runbookOf(kind));
  expect(page.split("\n")[0]).toContain(`# ${kind}: `);
  expect([...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
    "What it means",
    "What to look at",
    "What to do",
  ]);
  expect(page, "what the house does by itself").toContain("**By itself**: ");
  expect(commandsIn(page).length).toBeGreaterThan(0);
  const unknown = commandsIn(page).flatMap((command) => {
    const why = whyUnknown(command);
    return why === null ? [] : [`${command}: ${why}`];
  });
  expect(unknown).toEqual([]);
});

test("every page belongs to a kind, and the list of them says what the table says", () => {
  const pages = readdirSync(new URL("docs/runbooks/", repository)).filter((name) => name !== "README.md");
  expect(pages.toSorted()).toEqual(ALERT_KINDS.map((kind) => `${kind}.md`).toSorted());
  const list = read("docs/runbooks/README.md");
  for (const kind of ALERT_KINDS)
    expect(list).toContain(`| [${kind}](${kind}.md) | ${ALERTS[kind].severity} | ${ALERTS[kind].about} |`);
});

test("links between the pages lead somewhere", () => {
  for (const name of readdirSync(new URL("docs/runbooks/", repository)))
    for (const [, target = ""] of read(`docs/runbooks/${name}`).matchAll(/\]\(([^)#]+)/g))
      expect(() => readFileSync(new URL(target, new URL(`docs/runbooks/${name}`, repository)))).not.toThrow();
});

test("the check finds what does not exist", () => {
  expect(whyUnknown("holdfast server explode web-1")).not.toBeNull();
  expect(whyUnknown("holdfast server pause web-1 --never")).toBe("--never");
  expect(whyUnknown("holdfast-agent explode")).not.toBeNull();
  expect(whyUnknown("holdfast server pause web-1 --for 2h")).toBeNull();
});
