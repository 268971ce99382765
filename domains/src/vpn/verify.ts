import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import { poolsIn, wantedOf, type Wanted } from "./conn.ts";
import { blocksOf, intoOf, linkDiff, linksOf, oursIn, stalePasswords } from "./diff.ts";
import { intoText, type VpnObserved } from "./facts.ts";
import { isLoaded, listedOf, type Live, liveOf, shapeOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import { bootTextOrNone } from "./render.ts";

/**
 * Whether charon and the kernel have what shall be. Security associations come and go with the other end, so they are no part of it: that
 * traffic passes is what the expectations of a tunnel are for.
 */
export function verifyVpn(desired: VpnConfig | null, observed: VpnObserved): readonly Mismatch[] {
  const wanted = wantedOf(desired);
  const live = liveOf(observed);
  const blocks = [...linkMismatches(desired, observed), ...blockMismatches(desired, observed)];
  if (live === null) {
    // Where nothing shall be, a daemon that does not run is no difference.
    const down = { path: "strongswan", expected: "running", found: "nobody answers at its socket" };
    return wanted.length === 0 ? blocks : [down, ...blocks];
  }
  const conns = wanted.flatMap(({ path, conn, key }): readonly Mismatch[] => {
    const listed = listedOf(live, conn.name);
    if (listed === undefined) return [{ path, expected: "loaded", found: "not loaded" }];
    if (!isLoaded(conn, listed)) return [{ path, expected: "as confirmed", found: "loaded with other settings" }];
    return live.keys.includes(key.id)
      ? []
      : [
          {
            path: `${path}.${key.owners.length === 0 ? "privateKey" : conn.password === undefined ? "psk" : "password"}`,
            expected: "loaded",
            found: "not loaded",
          },
        ];
  });
  const strange = live.conns
    .filter(({ name }) => !wanted.some(({ conn }) => conn.name === name))
    .map(({ name }): Mismatch => ({ path: `connections.${name}`, expected: "absent", found: "loaded" }));
  const passwords = stalePasswords(wanted, live).map((id): Mismatch => ({
    path: `passwords.${id}`,
    expected: "absent",
    found: "loaded",
  }));
  return [...conns, ...strange, ...passwords, ...poolMismatches(wanted, live), ...blocks];
}

function poolMismatches(wanted: readonly Wanted[], live: Live): readonly Mismatch[] {
  const pools = poolsIn(wanted);
  return [
    ...pools
      .filter(({ name }) => !live.pools.some((one) => one.name === name))
      .map(({ network }) => ({ path: `pools.${network}`, expected: "loaded", found: "not loaded" })),
    ...live.pools
      .filter(({ name }) => !pools.some((one) => one.name === name))
      .map(({ base, size }) => ({ path: `pools.${base}`, expected: "absent", found: `${size} addresses from there` })),
  ];
}

function linkMismatches(desired: VpnConfig | null, observed: VpnObserved): readonly Mismatch[] {
  const wanted = wantedOf(desired);
  const diff = linkDiff({ links: linksOf(wanted), into: intoOf(wanted) }, observed);
  const at = (what: string, expected: string, found: string): Mismatch => ({
    path: `interfaces.${what}`,
    expected,
    found,
  });
  return [
    ...diff.linksToMake.map(({ name }) => at(name, "there and up", "not there, or down")),
    ...diff.linksToRemove.map(({ name }) => at(name, "absent", "there")),
    ...diff.intoToAdd.map((one) => at(one.link, `a route ${intoText(one)}`, "none")),
    ...diff.intoToRemove.map((one) => at(one.link, `no route ${intoText(one)}`, "there")),
  ];
}

function blockMismatches(desired: VpnConfig | null, observed: VpnObserved): readonly Mismatch[] {
  const wanted = blocksOf(wantedOf(desired));
  const path = (network: string): string => `clearText.${network}`;
  if (observed.routesProblem !== null)
    return [{ path: "clearText", expected: "readable", found: observed.routesProblem }];
  return [
    ...wanted
      .filter((network) => !observed.blocks.includes(network))
      .map((network) => ({ path: path(network), expected: "blocked", found: "open" })),
    ...observed.blocks
      .filter((network) => !wanted.includes(network))
      .map((network) => ({ path: path(network), expected: "open", found: "blocked" })),
  ];
}

/** On a boot strongSwan comes later and loads its file by itself: until then that file must say what is confirmed. */
export function loadedMismatches(desired: VpnConfig | null, observed: VpnObserved): readonly Mismatch[] {
  if (liveOf(observed) !== null) return verifyVpn(desired, observed);
  const text = bootTextOrNone(wantedOf(desired));
  return [
    ...linkMismatches(desired, observed),
    ...blockMismatches(desired, observed),
    ...(observed.boot === text
      ? []
      : [{ path: "boot", expected: "the confirmed tunnels in strongSwan's file", found: "other ones" }]),
  ];
}

/** What of ours is there, in one form; volatile parts and what others loaded are out. A key counts while a loaded connection uses it. */
export function oursOf(observed: VpnObserved): Json {
  const live = liveOf(observed);
  const blocks = [...observed.blocks];
  const links = oursIn(observed).map(({ name }) => name);
  // Left out where there are none: what earlier versions noted down stays equal.
  const interfaces = links.length === 0 ? {} : { interfaces: [...links, ...observed.into.map(intoText)].toSorted() };
  if (live === null) return { down: true, blocks, ...interfaces };
  return {
    conns: Object.fromEntries(live.conns.map((listed) => [listed.name, shapeOf(listed)])),
    keys: [...usedKeys(live, observed)],
    blocks,
    ...(live.pools.length === 0 ? {} : { pools: live.pools.map(({ name }) => name).toSorted() }),
    ...interfaces,
  };
}

function usedKeys(live: Live, observed: VpnObserved): readonly string[] {
  const used = new Set(live.conns.flatMap(({ labels }) => labels.map((label) => observed.record[label]?.key.id)));
  return live.keys.filter((id) => used.has(id)).toSorted();
}
