import type { WaveSettings } from "../compose/floor-settings.ts";

/**
 * In which order a change reaches its servers.
 *   W1. More than one server: the first wave is a canary and smaller than the whole.
 *   W2. Every server is in exactly one wave; no wave is empty.
 *   W3. The same servers, settings and seed give the same waves.
 */
export type Waves = readonly (readonly string[])[];

/**
 * `percent` counts all servers of the rollout, the canary included, as they were at its start: a share of a shrinking set would let each
 * failure make the next wave look healthier. The order inside is random so that no rack or site is always the first to suffer.
 */
export function planWaves(serverIds: readonly string[], settings: WaveSettings, seed: number): Waves {
  const order = shuffled([...new Set(serverIds)].sort(), seed);
  const total = order.length;
  const waves: string[][] = [];
  let taken = 0;
  for (const size of boundaries(total, settings)) {
    if (size <= taken) continue;
    waves.push(order.slice(taken, size));
    taken = size;
  }
  return waves;
}

function boundaries(total: number, settings: WaveSettings): readonly number[] {
  const canary = Math.max(1, Math.min(Math.floor(settings.canary), total - 1)); // W1
  const shares = settings.percent.map((percent) => Math.min(total, Math.floor((total * percent) / 100)));
  return total === 0 ? [] : [canary, ...shares, total];
}

function shuffled(items: readonly string[], seed: number): readonly string[] {
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
