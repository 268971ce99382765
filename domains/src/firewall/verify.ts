import type { Mismatch } from "@holdfast/core/domain.ts";
import type { FirewallObserved } from "./facts.ts";
import type { FirewallConfig } from "./model.ts";
import { nativeTable } from "./native.ts";
import { type NativeTable, setShape } from "./nft-table.ts";

/** More than this many are the same message: something else is loaded. */
const MOST_MISMATCHES = 50;

/** Whether what was read back is exactly what was asked for. A table that could not be read is a mismatch, never a silent success. */
export function verifyFirewall(desired: FirewallConfig | null, observed: FirewallObserved): readonly Mismatch[] {
  if (observed.unreadable !== null)
    return [{ path: "table", expected: "a table that can be read", found: observed.unreadable }];
  const expected = desired === null ? null : nativeTable(desired, observed.interfaces);
  return tableMismatches(expected, observed.table).slice(0, MOST_MISMATCHES);
}

export function tableMismatches(expected: NativeTable | null, found: NativeTable | null): readonly Mismatch[] {
  if (expected === null || found === null) {
    if (expected === found) return [];
    const [there, gone] = ["the table inet holdfast", "no table inet holdfast"];
    return [{ path: "table", expected: expected === null ? gone : there, found: found === null ? gone : there }];
  }
  return [
    ...namedMismatches("chains", expected.chains, found.chains, (path, want, have) => [
      ...textMismatch(`${path}.hook`, hookText(want.hook), hookText(have.hook)),
      ...listMismatches(`${path}.rules`, want.rules, have.rules),
    ]),
    ...namedMismatches("sets", expected.sets, found.sets, (path, want, have) => [
      ...textMismatch(`${path}.type`, setShape(want), setShape(have)),
      ...memberMismatches(`${path}.elements`, want.elements, have.elements),
    ]),
    ...memberMismatches("counters", expected.counters, found.counters),
    ...memberMismatches("objects", expected.strange, found.strange),
  ];
}

function namedMismatches<Item>(
  path: string,
  expected: Readonly<Record<string, Item>>,
  found: Readonly<Record<string, Item>>,
  compare: (path: string, want: Item, have: Item) => readonly Mismatch[],
): readonly Mismatch[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
  return names.flatMap((name) => {
    const [want, have] = [expected[name], found[name]];
    if (want !== undefined && have !== undefined) return compare(`${path}.${name}`, want, have);
    return textMismatch(
      `${path}.${name}`,
      want === undefined ? ABSENT : "present",
      have === undefined ? ABSENT : "present",
    );
  });
}

const ABSENT = "absent";

/** Rules: order counts, and after the first difference all that follows is moved, so only that one is told. */
function listMismatches(path: string, expected: readonly string[], found: readonly string[]): readonly Mismatch[] {
  const length = Math.max(expected.length, found.length);
  for (let index = 0; index < length; index += 1) {
    if (expected[index] !== found[index])
      return [{ path: `${path}[${index}]`, expected: expected[index] ?? ABSENT, found: found[index] ?? ABSENT }];
  }
  return [];
}

function memberMismatches(path: string, expected: readonly string[], found: readonly string[]): readonly Mismatch[] {
  const [want, have] = [new Set(expected), new Set(found)];
  return [
    ...expected.filter((member) => !have.has(member)).map((member) => ({ path, expected: member, found: ABSENT })),
    ...found.filter((member) => !want.has(member)).map((member) => ({ path, expected: ABSENT, found: member })),
  ];
}

function textMismatch(path: string, expected: string, found: string): readonly Mismatch[] {
  return expected === found ? [] : [{ path, expected, found }];
}

function hookText(hook: NativeTable["chains"][string]["hook"]): string {
  return hook === null ? "none" : `type ${hook.type} hook ${hook.hook} priority ${hook.priority} policy ${hook.policy}`;
}
