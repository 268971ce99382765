import { expect, test } from "vitest";
import type { Origin } from "./effective-config.ts";
import { namedMerge, type NamedLayer } from "./named-merge.ts";
import { scalarMerge } from "./scalar-merge.ts";

type Layer = "fleet" | "site" | "role" | "server";
const origin = (layer: Layer, name = layer as string): Origin => ({
  document: `Policy/${name}`,
  revision: 1,
  layer,
  path: "firewall",
});

test("nothing said is nothing", () => {
  expect(scalarMerge("x", [])).toEqual({ value: undefined, provenance: [], findings: [] });
});

test("the narrower wins and remembers what it beat, nearest first", () => {
  const merged = scalarMerge("firewall.mode", [
    { origin: origin("fleet"), value: "observe" },
    { origin: origin("site"), value: "off" },
    { origin: origin("role"), value: "enforce" },
  ]);
  expect(merged.value).toBe("enforce");
  expect(merged.findings).toEqual([]);
  expect(merged.provenance).toMatchObject([
    {
      from: { layer: "role" },
      beat: [
        { origin: { layer: "site" }, value: "off" },
        { origin: { layer: "fleet" }, value: "observe" },
      ],
    },
  ]);
});

test("saying the same beats nobody and quarrels with nobody", () => {
  const merged = scalarMerge("x", [
    { origin: origin("role", "a"), value: 1 },
    { origin: origin("role", "b"), value: 1 },
  ]);
  expect(merged).toMatchObject({ value: 1, findings: [], provenance: [{ beat: [] }] });
});

test("two of one layer that differ are refused, both named", () => {
  const { findings } = scalarMerge("x", [
    { origin: origin("role", "a"), value: 1 },
    { origin: origin("role", "b"), value: 2 },
  ]);
  expect(findings).toMatchObject([{ code: "compose.layer_conflict", severity: "error", document: "Policy/b" }]);
  expect(findings[0]?.message).toContain("Policy/a");
  expect(findings[0]?.message).toContain("Policy/b");
});

test("a quarrel in a wider layer is settled by the narrower one", () => {
  const { value, findings } = scalarMerge("x", [
    { origin: origin("role", "a"), value: 1 },
    { origin: origin("role", "b"), value: 2 },
    { origin: origin("server"), value: 3 },
  ]);
  expect({ value, findings }).toEqual({ value: 3, findings: [] });
});

function layer(
  of: Layer,
  items: Readonly<Record<string, number>>,
  without: readonly string[] = [],
  name = of as string,
): NamedLayer<number> {
  const from = origin(of, name);
  return {
    origin: from,
    items: Object.entries(items).map(([key, value]) => ({ name: key, value, origin: from })),
    without: without.map((key) => ({ name: key, origin: from })),
  };
}
const shown = (layers: readonly NamedLayer<number>[], order: "wide_first" | "narrow_first"): readonly string[] =>
  namedMerge("rules", layers, order).items.map((item) => `${item.name}=${item.value}`);

test("items of all layers stand in the order that is asked for", () => {
  const layers = [
    layer("fleet", { a: 1, b: 2 }),
    layer("role", { c: 3 }, [], "r1"),
    layer("role", { d: 4 }, [], "r2"),
    layer("server", { e: 5 }),
  ];
  expect(shown(layers, "wide_first")).toEqual(["a=1", "b=2", "c=3", "d=4", "e=5"]);
  expect(shown(layers, "narrow_first")).toEqual(["e=5", "c=3", "d=4", "a=1", "b=2"]);
});

test("an item of a narrower layer replaces its namesake and stands where that layer has it", () => {
  const layers = [layer("fleet", { a: 1, b: 2 }), layer("role", { c: 3, a: 10 })];
  expect(shown(layers, "wide_first")).toEqual(["b=2", "c=3", "a=10"]);
  const { provenance } = namedMerge("rules", layers, "wide_first");
  expect(provenance.find((entry) => entry.item === "rules.a")).toMatchObject({
    from: { layer: "role" },
    beat: [{ origin: { layer: "fleet" }, value: "1" }],
  });
});

test("without takes out what wider layers have, and says when there is nothing to take out", () => {
  expect(shown([layer("fleet", { a: 1, b: 2 }), layer("role", {}, ["a"])], "wide_first")).toEqual(["b=2"]);
  expect(shown([layer("fleet", { a: 1 }), layer("role", { a: 5 }, ["a"])], "wide_first")).toEqual(["a=5"]);
  const { findings } = namedMerge("rules", [layer("fleet", { a: 1 }), layer("role", {}, ["x"])], "wide_first");
  expect(findings).toMatchObject([{ code: "compose.without_nothing", severity: "warning" }]);
});

test("two policies of one layer may say the same item, not two different ones", () => {
  const same = namedMerge(
    "rules",
    [layer("role", { a: 1 }, [], "r1"), layer("role", { a: 1 }, [], "r2")],
    "wide_first",
  );
  expect({ items: same.items.length, findings: same.findings }).toEqual({ items: 1, findings: [] });
  const { findings } = namedMerge(
    "rules",
    [layer("role", { a: 1 }, [], "r1"), layer("role", { a: 2 }, [], "r2")],
    "wide_first",
  );
  expect(findings).toMatchObject([{ code: "compose.layer_conflict", document: "Policy/r2" }]);
});
