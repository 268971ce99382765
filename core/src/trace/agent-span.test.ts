import { expect, test } from "vitest";
import { type AgentSpan, joinAgentSpans, MOST_AGENT_SPANS, readAgentSpans } from "./agent-span.ts";

const SPAN: AgentSpan = {
  id: "b7ad6b7169203331",
  parent: "00f067aa0ba902b7",
  name: "native nft",
  startMs: 1_790_000_000_000,
  endMs: 1_790_000_000_004.5,
  domain: "firewall",
  step: "2/5",
};

test("what was told is read", () => {
  expect(readAgentSpans({ spans: [SPAN], lost: 3 })).toEqual({ spans: [SPAN], lost: 3 });
});

test("a server that lies says nothing: what does not read is left out and counted, and no text of its own comes through", () => {
  const told: readonly unknown[] = [
    SPAN,
    { ...SPAN, id: "0".repeat(16) },
    { ...SPAN, parent: "../../etc" },
    { ...SPAN, name: "native nft add rule 10.0.0.1" },
    { ...SPAN, name: "control apply" },
    { ...SPAN, startMs: "yesterday" },
    { ...SPAN, endMs: Number.POSITIVE_INFINITY },
    null,
    "text",
  ];
  expect(readAgentSpans({ spans: told, lost: -1 })).toEqual({ spans: [SPAN], lost: told.length - 1 });
  const more = { ...SPAN, domain: "canary", step: "canary", failure: "Canary", secret: "canary" };
  expect(JSON.stringify(readAgentSpans({ spans: [more], lost: 0 })).toLowerCase()).not.toContain("canary");
});

test.each([[null], ["text"], [{}], [{ spans: "text" }], [[]]])("%j is nothing", (value) => {
  expect(readAgentSpans(value)).toEqual({ spans: [], lost: 0 });
});

test("there is an end to it, and how much was left out is known", () => {
  const many = Array.from({ length: MOST_AGENT_SPANS + 10 }, () => SPAN);
  const read = readAgentSpans({ spans: many, lost: 0 });
  expect([read.spans.length, read.lost]).toEqual([MOST_AGENT_SPANS, 10]);
  expect(joinAgentSpans(read, read, 300)).toMatchObject({ lost: 20 + MOST_AGENT_SPANS * 2 - 300 });
});
