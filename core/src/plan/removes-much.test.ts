import { expect, test } from "vitest";
import { canonicalJson } from "../base/canonical-json.ts";
import { removesMuch } from "./removes-much.ts";

const rules = (count: number): string =>
  canonicalJson({
    inbound: {
      default: "drop",
      rules: Array.from({ length: count }, (_, at) => ({ name: `r${at}`, allow: "tcp/80" })),
    },
  });

test("most of what is in force goes: said with both numbers, and a danger", () => {
  expect(removesMuch("firewall", rules(40), rules(3))).toEqual([
    {
      severity: "danger",
      code: "plan.removes_much",
      path: "firewall",
      message: "Of 81 values that make up the firewall settings in force on this server, 7 are left.",
      remedy: expect.stringContaining("meant to go") as string,
    },
  ]);
});

test.each([
  ["one rule of many", rules(40), rules(39)],
  ["a third of them", rules(40), rules(27)],
  ["most of a few, which anybody sees", rules(8), rules(1)],
  ["as many others in their place", rules(40), rules(40).replaceAll("tcp/80", "tcp/81")],
  ["more than there was", rules(3), rules(40)],
  ["the whole domain, which is told of the policy that leaves", rules(40), "null"],
  ["nothing was ours", "null", rules(40)],
])("%s is not this", (_what, confirmed, config) => {
  expect(removesMuch("firewall", confirmed, config)).toEqual([]);
});

test("long texts that become short are one value each", () => {
  const motd = (text: string): string => canonicalJson({ banners: { motd: text } });
  expect(removesMuch("system", motd("x".repeat(4000)), motd(""))).toEqual([]);
});
