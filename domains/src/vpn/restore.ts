import type { Mismatch } from "@holdfast/core/domain.ts";
import type { IpsecKey } from "@holdfast/core/plan/ipsec-state.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { linkDiff, oursIn } from "./diff.ts";
import { intoText, type VpnObserved } from "./facts.ts";
import { listedOf, type Live, liveOf, shapeOf } from "./live.ts";
import {
  blocksStep,
  initiateStep,
  loadConnStep,
  loadKeyStep,
  makeLinkSteps,
  recordStep,
  removeLinkSteps,
  terminateStep,
  unloadConnStep,
  unloadKeyStep,
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
  const back = want.conns.filter((listed) => !isSame(listed.name, want, have));
  const loaded = back.flatMap(({ name, labels }) =>
    labels.flatMap((label) => {
      const found = known[label];
      return found === undefined ? [] : [{ ...found, isNew: listedOf(have, name) === undefined }];
    }),
  );
  const used = want.conns.flatMap(({ labels }) =>
    labels.flatMap((label): readonly IpsecKey[] => {
      const key = known[label]?.key;
      return key === undefined ? [] : [key];
    }),
  );
  const gone = have.conns.filter(({ name }) => listedOf(want, name) === undefined);
  return [
    ...used.filter(({ id }) => want.keys.includes(id) && !have.keys.includes(id)).map(loadKeyStep),
    ...loaded.flatMap(({ conn, isNew }) => [loadConnStep(conn, isNew), terminateStep(conn.name)]),
    ...gone.flatMap(({ name }) => [unloadConnStep(name), terminateStep(name)]),
    ...have.keys.filter((id) => !want.keys.includes(id)).map(unloadKeyStep),
    ...loaded.filter(({ conn }) => conn.starts).map(({ conn }) => initiateStep(conn, UNDO_PATIENCE_MS)),
  ];
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
  return [...conns, ...keys, ...links, ...blocks, ...record];
}

/** Interfaces of ours and what is routed into them, in one text. */
function linkText(observed: VpnObserved): string {
  return [...oursIn(observed).map(({ name }) => name), ...observed.into.map(intoText)].toSorted().join(", ");
}
