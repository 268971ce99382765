import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { SystemObserved } from "./facts.ts";
import type { SystemConfig } from "./model.ts";
import { BOOT, inOrder, isNotYet, liveValue, sameValue, type Slots, slotsOf, splitSlot } from "./slots.ts";
import { ACCOUNT_PARTS } from "./users.ts";

/** One slot whose live value is not what it shall be. */
export interface SlotChange {
  readonly slot: string;
  readonly from: Json;
  readonly to: Json;
  /** `restore`: it leaves the policies and goes back to what was found. */
  readonly kind: "set" | "restore";
}

/** What each slot that is or was ours shall be: what the config says, or what was found before it became ours. */
export function targetsOf(desired: SystemConfig | null, observed: SystemObserved): Slots {
  const wanted = slotsOf(desired, observed);
  const released = Object.entries(observed.found).filter(([slot]) => !(slot in wanted) && !slot.startsWith(BOOT));
  return { ...Object.fromEntries(released.map(([slot, value]) => [slot, backTo(slot, value, observed)])), ...wanted };
}

/** People and groups are neither removed nor made again by not being written any more. */
function backTo(slot: string, found: Json, observed: SystemObserved): Json {
  const [kind] = splitSlot(slot);
  if (!PEOPLE.includes(kind)) return found;
  const live = liveValue(observed, slot);
  return live === undefined || isThere(live) === isThere(found) ? found : live;
}

const PEOPLE: readonly string[] = ["group", "user", ...ACCOUNT_PARTS];

function isThere(value: Json): boolean {
  return value !== null && value !== false;
}

export function systemChanges(desired: SystemConfig | null, observed: SystemObserved): readonly SlotChange[] {
  const wanted = slotsOf(desired, observed);
  const targets = targetsOf(desired, observed);
  return inOrder(Object.keys(targets)).flatMap((slot): readonly SlotChange[] => {
    const [from, to] = [liveValue(observed, slot), targets[slot] ?? null];
    if (from === undefined || sameValue(from, to) || isNotYet(observed, slot)) return [];
    return [{ slot, from, to, kind: slot in wanted ? "set" : "restore" }];
  });
}

/** What must be remembered before the config takes hold: the values found of every slot that becomes ours by it. */
export function foundWith(desired: SystemConfig | null, observed: SystemObserved): Slots {
  const slots = Object.keys(slotsOf(desired, observed));
  // The file is written when the change is confirmed, and has to go back as well.
  const remembered = slots.includes("hostname") ? [...slots, `${BOOT}/etc/hostname`] : slots;
  return Object.fromEntries(
    remembered.flatMap((slot) => {
      // What was absent when it became ours is noted as null, and stays so.
      const value = Object.hasOwn(observed.found, slot) ? observed.found[slot] : liveValue(observed, slot);
      return value === undefined ? [] : [[slot, value]];
    }),
  );
}
