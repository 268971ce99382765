import type { Mismatch } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { parsePerson } from "@holdfast/core/policy/tunnel-people.ts";
import { CONN_PREFIX, PASSWORD_PREFIX, poolsIn, tunnelOfConn } from "./conn.ts";
import { linkDiff, oursIn } from "./diff.ts";
import { intoText, type VpnObserved } from "./facts.ts";
import { listedOf, type Live, liveOf, shapeOf } from "./live.ts";
import type { Loaded } from "./record.ts";
import {
  blocksStep,
  endPeopleSteps,
  initiateStep,
  isPersonConn,
  isPersonKey,
  loadConnStep,
  loadKeyStep,
  loadPeopleSteps,
  loadPoolStep,
  makeLinkSteps,
  recordStep,
  removeLinkSteps,
  terminateStep,
  unloadConnStep,
  unloadKeyStep,
  unloadPeopleKeysStep,
  unloadPoolStep,
} from "./step.ts";

/** Milliseconds. An undo begins the old tunnel again and does not wait for the other end. */
const UNDO_PATIENCE_MS = 1_000;

/**
 * Puts back what was loaded, from the record: it was written before anything was loaded and knows every connection that the snapshot lists,
 * since the plan refuses to begin where it does not. Where charon does not run there is nothing loaded and nothing to unload: it loads what
 * is confirmed when it starts.
 */
export function restoreVpn(snapshot: VpnObserved, live: VpnObserved): readonly Step[] {
  const [want, have] = [liveOf(snapshot), liveOf(live)];
  const steps = want === null || have === null ? [] : daemonSteps(snapshot, want, live, have);
  const add = snapshot.blocks.filter((network) => !live.blocks.includes(network));
  const remove = live.blocks.filter((network) => !snapshot.blocks.includes(network));
  const links = linkDiff({ links: oursIn(snapshot), into: snapshot.into }, live);
  return [
    ...(add.length === 0 ? [] : [blocksStep("block", add, [])]),
    ...makeLinkSteps(links),
    ...steps,
    ...removeLinkSteps(links),
    ...(remove.length === 0 ? [] : [blocksStep("unblock", [], remove)]),
    ...(snapshot.recordText === live.recordText ? [] : [recordStep("record", snapshot.recordText)]),
  ];
}

function daemonSteps(snapshot: VpnObserved, want: Live, live: VpnObserved, have: Live): readonly Step[] {
  const known = { ...live.record, ...snapshot.record };
  const find = (labels: readonly string[]): readonly Loaded[] => labels.flatMap((label) => known[label] ?? []);
  const differing = want.conns.map(({ name }) => name).filter((name) => !isSame(name, want, have));
  // Whose door is loaded again comes after it.
  const isBehind = (name: string): boolean => {
    const person = parsePerson(tunnelOfConn(name));
    return person !== null && differing.includes(`${CONN_PREFIX}${person.tunnel}`);
  };
  const loaded = want.conns
    .filter(({ name }) => differing.includes(name) || isBehind(name))
    .flatMap(({ name, labels }) => find(labels).map((one) => ({ ...one, isNew: listedOf(have, name) === undefined })));
  const [people, machines] = [loaded.filter(isPerson), loaded.filter((one) => !isPerson(one))];
  const used = want.conns.flatMap(({ labels }) => find(labels));
  const keys = used
    .filter(({ key: { id } }) => want.keys.includes(id) && !have.keys.includes(id))
    .filter(({ key }, index, all) => all.findIndex((one) => one.key.id === key.id) === index);
  // A key may be gone while the connection that needs it is there.
  const again = used.filter(
    (one) => isPerson(one) && [...people, ...keys].some(({ conn }) => conn.name === one.conn.name),
  );
  const gone = have.conns.map(({ name }) => name).filter((name) => listedOf(want, name) === undefined);
  const pools = poolsIn(used).filter(({ name }) => hasPool(want, name));
  const unused = have.keys.filter((id) => !want.keys.includes(id));
  const passwords = unused.filter((id) => id.startsWith(PASSWORD_PREFIX));
  return [
    ...keys.filter((one) => !isPerson(one)).map(({ key }) => loadKeyStep(key)),
    ...pools.filter(({ name }) => !hasPool(have, name)).map(loadPoolStep),
    ...machines.flatMap(({ conn, isNew }) => [loadConnStep(conn, isNew), terminateStep(conn.name)]),
    ...endPeopleSteps(gone.filter(isPersonConn), false),
    ...(passwords.length === 0 ? [] : [unloadPeopleKeysStep(passwords)]),
    ...loadPeopleSteps(again, (id) => have.keys.includes(id)),
    ...endPeopleSteps(
      people.map(({ conn }) => conn.name),
      true,
    ),
    ...gone.filter((name) => !isPersonConn(name)).flatMap((name) => [unloadConnStep(name), terminateStep(name)]),
    ...have.pools.filter(({ name }) => !hasPool(want, name)).map(({ name }) => unloadPoolStep(name)),
    ...unloadKeySteps(unused.filter((id) => !passwords.includes(id))),
    ...machines.filter(({ conn }) => conn.starts).map(({ conn }) => initiateStep(conn, UNDO_PATIENCE_MS)),
  ];
}

/** Keys of people in one step, of which there may be many. */
export function unloadKeySteps(ids: readonly string[]): readonly Step[] {
  const people = ids.filter(isPersonKey);
  return [
    ...ids.filter((id) => !isPersonKey(id)).map(unloadKeyStep),
    ...(people.length === 0 ? [] : [unloadPeopleKeysStep(people)]),
  ];
}

function isPerson({ conn }: Loaded): boolean {
  return isPersonConn(conn.name);
}

function hasPool({ pools }: Live, name: string): boolean {
  return pools.some((one) => one.name === name);
}

function isSame(name: string, want: Live, have: Live): boolean {
  const [left, right] = [listedOf(want, name), listedOf(have, name)];
  return left !== undefined && right !== undefined && shapeOf(left) === shapeOf(right);
}

/** Whether the server is as the snapshot has it. Associations are left out: with whom the other end speaks is its own affair. */
export function restoredMismatches(
  snapshot: VpnObserved,
  _before: VpnObserved,
  after: VpnObserved,
): readonly Mismatch[] {
  const [want, have] = [liveOf(snapshot), liveOf(after)];
  const blocks =
    snapshot.blocks.join() === after.blocks.join()
      ? []
      : [{ path: "clearText", expected: snapshot.blocks.join(", "), found: after.blocks.join(", ") }];
  const record =
    snapshot.recordText === after.recordText
      ? []
      : [{ path: "record", expected: "the record that the snapshot holds", found: "another one" }];
  const [wantLinks, haveLinks] = [snapshot, after].map(linkText);
  const links =
    wantLinks === haveLinks ? [] : [{ path: "interfaces", expected: wantLinks ?? "", found: haveLinks ?? "" }];
  if (want === null || have === null) return [...links, ...blocks, ...record];
  const names = [...new Set([...want.conns, ...have.conns].map(({ name }) => name))].toSorted();
  const conns = names
    .filter((name) => !isSame(name, want, have))
    .map((name) => ({
      path: `connections.${name}`,
      expected: listedOf(want, name) === undefined ? "absent" : "as it was",
      found: listedOf(have, name) === undefined ? "absent" : "loaded otherwise",
    }));
  const keys = want.keys
    .filter((id) => !have.keys.includes(id))
    .map((id) => ({ path: `keys.${id}`, expected: "loaded", found: "not loaded" }));
  const [wantPools, havePools] = [want, have].map(({ pools }) =>
    pools
      .map(({ name }) => name)
      .toSorted()
      .join(", "),
  );
  const pools = wantPools === havePools ? [] : [{ path: "pools", expected: wantPools ?? "", found: havePools ?? "" }];
  return [...conns, ...keys, ...pools, ...links, ...blocks, ...record];
}

/** Interfaces of ours and what is routed into them, in one text. */
function linkText(observed: VpnObserved): string {
  return [...oursIn(observed).map(({ name }) => name), ...observed.into.map(intoText)].toSorted().join(", ");
}
