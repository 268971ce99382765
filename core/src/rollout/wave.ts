import type { WaveSettings } from "../compose/floor-settings.ts";

/**
 * In which order a change reaches its servers.
 *   W1. More than one server: the first wave is a canary and smaller than the whole, unless all of them belong together.
 *   W2. Every server is in exactly one wave; no wave is empty.
 *   W3. The same servers, settings and seed give the same waves.
 *   W4. Servers that belong together (the ends of a tunnel, which only work both) are in one wave, side by side.
 */
export type Waves = readonly (readonly string[])[];

/**
 * `percent` counts all servers of the rollout, the canary included, as they were at its start: a share of a shrinking set would let each
 * failure make the next wave look healthier. The order inside is random so that no rack or site is always the first to suffer.
 */
export function planWaves(
  serverIds: readonly string[],
  settings: WaveSettings,
  seed: number,
  together: readonly (readonly string[])[] = [],
): Waves {
  const order = shuffled(partiesOf([...new Set(serverIds)].sort(), together), seed);
  const total = order.reduce((sum, party) => sum + party.length, 0);
  const waves: string[][] = [];
  let [taken, party] = [0, 0];
  for (const size of boundaries(total, settings)) {
    const wave: string[] = [];
    for (; taken < size && party < order.length; party += 1) {
      const members = order[party] ?? [];
      wave.push(...members);
      taken += members.length;
    }
    if (wave.length > 0) waves.push(wave);
  }
  return waves;
}

/** Each server alone or with those that it belongs together with, directly or over others. */
export function partiesOf(
  serverIds: readonly string[],
  together: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const partyOf = new Map(serverIds.map((id) => [id, [id]]));
  for (const group of together) {
    const parties = new Set(group.flatMap((id) => (partyOf.has(id) ? [partyOf.get(id) ?? []] : [])));
    const whole = [...parties].flat().toSorted();
    for (const id of whole) partyOf.set(id, whole);
  }
  return [...new Set(partyOf.values())];
}

function boundaries(total: number, settings: WaveSettings): readonly number[] {
  const canary = Math.max(1, Math.min(Math.floor(settings.canary), total - 1)); // W1
  const shares = settings.percent.map((percent) => Math.min(total, Math.floor((total * percent) / 100)));
  return total === 0 ? [] : [canary, ...shares, total];
}

function shuffled<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const out = [...items];
  const random = mulberry32(seed);
  for (let last = out.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const a = out[last];
    const b = out[other];
    if (a === undefined || b === undefined) continue;
    out[last] = b;
    out[other] = a;
  }
  return out;
}

/** A 32-bit generator with a whole period and no state outside: order, not secrecy, is what is asked of it. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
