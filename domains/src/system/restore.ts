import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import type { SystemObserved } from "./facts.ts";
import { FAILLOCK_FILE } from "./faillock-text.ts";
import { FOUND_FILE, FOUND_MODE } from "./found.ts";
import { LOGIN_KEYS } from "./login-defs.ts";
import { PROXY_FILE } from "./proxy-text.ts";
import { QUALITY_FILE } from "./quality-text.ts";
import { BOOT, inOrder, isNotYet, liveValue, sameValue, splitSlot } from "./slots.ts";
import { fileStep, runningSshd, slotSteps } from "./step.ts";
import { reaches } from "./sysctl-key.ts";
import { ACCOUNT_PARTS } from "./users.ts";
import { slotName, valueWords } from "./words.ts";

/**
 * Puts every slot that was ours, or became ours since the snapshot, back to its value in the snapshot, and then the note of what was found.
 * It needs the snapshot and what is there now, nothing else: the note is written before the first change of a slot, so what is there now says
 * what was touched. Where the note cannot be read, everything that this domain could have touched is put back.
 */
export function restoreSystem(snapshot: SystemObserved, live: SystemObserved): readonly Step[] {
  // The plan refuses to begin on a note that cannot be read, so no transaction of ours has such a snapshot to go back to.
  if (snapshot.foundProblem !== null) return [];
  const sshd = { check: false, effective: {}, listens: runningSshd(snapshot) === null ? [] : portsOf(snapshot) };
  const steps = inOrder(touched(snapshot, live))
    .toReversed()
    .toSorted(bySysctlSpread)
    .flatMap((slot): readonly Step[] => {
      const [want, have] = [liveValue(snapshot, slot), liveValue(live, slot)];
      if (want === undefined || isSame(slot, want, have) || isNotYet(live, slot)) return [];
      return slotSteps(slot, `Put ${slotName(slot)} back to ${valueWords(slot, want)}`, want, live, sshd);
    });
  return [...steps, ...foundSteps(snapshot, live)];
}

/** Undo runs in reverse, but a kernel setting that reaches others still comes before those. */
function bySysctlSpread(a: string, b: string): number {
  const [isA, isB] = [a.startsWith("sysctl:"), b.startsWith("sysctl:")];
  if (!isA || !isB || a === b) return 0;
  return inOrder([a, b])[0] === a ? -1 : 1;
}

function isSame(slot: string, want: Json, have: Json | undefined): boolean {
  if (have !== undefined && sameValue(want, have)) return true;
  const [kind] = splitSlot(slot);
  // An account that somebody else removed meanwhile would come back as another one.
  if (kind === "user") return want !== null && have === null;
  // Parts come and go with their account.
  if (ACCOUNT_PARTS.some((part) => part === kind)) return want === null || have === null;
  // Gone with its interface or module: there is nothing to put back any more.
  return kind === "sysctl" && (have === null || want === null);
}

function touched(snapshot: SystemObserved, live: SystemObserved): readonly string[] {
  const noted =
    live.foundProblem === null
      ? [...Object.keys(snapshot.found), ...Object.keys(live.found)]
      : [...Object.keys(snapshot.found), ...everything(snapshot, live)];
  const own = noted.filter((slot) => !slot.startsWith(BOOT));
  const keys = own.flatMap((slot) => (slot.startsWith("sysctl:") ? [slot.slice("sysctl:".length)] : []));
  const reached = Object.keys(live.sysctl).filter((other) => keys.some((key) => reaches(key, other)));
  return [...new Set([...own, ...reached.map((key) => `sysctl:${key}`)])];
}

/**
 * Slots whose value moved since the snapshot, whoever moved it. Units are left out: daemons come and go by themselves. So are accounts and
 * groups: without the note nobody can tell ours from those that somebody made meanwhile, and what is removed is lost.
 */
function everything(snapshot: SystemObserved, live: SystemObserved): readonly string[] {
  const sysctl = Object.keys(snapshot.sysctl).filter((key) => snapshot.sysctl[key] !== live.sysctl[key]);
  const files = [
    "/etc/timezone",
    "/etc/motd",
    "/etc/issue",
    "/etc/issue.net",
    "/etc/resolv.conf",
    PROXY_FILE,
    QUALITY_FILE,
    FAILLOCK_FILE,
  ];
  return [
    ...sysctl.map((key) => `sysctl:${key}`),
    ...files.map((path) => `file:${path}`),
    "hostname",
    "timezone",
    "hosts",
    "ssh",
    "ntp",
    "chrony",
    "resolver",
    "sudo",
    "logs",
    "limits",
    ...LOGIN_KEYS.map((key) => `login:${key}`),
    "updates:apt",
    "updates:timer",
    "modules:load",
    "modules:block",
    ...named("keys", snapshot.keyFiles, live.keyFiles),
    ...named("task", snapshot.tasks, live.tasks),
    ...named("authority", snapshot.authorities, live.authorities),
  ];
}

function named(kind: string, ...maps: readonly Readonly<Record<string, string>>[]): readonly string[] {
  return maps.flatMap((map) => Object.keys(map).map((name) => `${kind}:${name}`));
}

function foundSteps(snapshot: SystemObserved, live: SystemObserved): readonly Step[] {
  const [want, have] = [snapshot.entries[FOUND_FILE], live.entries[FOUND_FILE]];
  const text = want?.type === "file" ? want.text : null;
  const isThere = have?.type === "file" ? have.text === text : have?.type === "absent" && text === null;
  return isThere ? [] : [fileStep("system.found", "Put the note of what was found back", FOUND_FILE, FOUND_MODE, text)];
}

function portsOf(observed: SystemObserved): readonly number[] {
  return (observed.sshd?.["port"] ?? []).map(Number);
}

/**
 * Whether the server is as the snapshot has it. `before` is what was there when the undo began: it knows what was touched, which after the
 * undo nobody says any more.
 */
export function restoredMismatches(
  snapshot: SystemObserved,
  before: SystemObserved,
  after: SystemObserved,
): readonly Mismatch[] {
  if (after.foundProblem !== null)
    return [{ path: "found", expected: "the note that the snapshot holds", found: after.foundProblem }];
  const slots = inOrder(touched(snapshot, before));
  const wrong = slots.flatMap((slot): readonly Mismatch[] => {
    const [want, have] = [liveValue(snapshot, slot), liveValue(after, slot)];
    if (want === undefined || isSame(slot, want, have) || isNotYet(after, slot)) return [];
    return [
      {
        path: slot,
        expected: valueWords(slot, want),
        found: have === undefined ? "unreadable" : valueWords(slot, have),
      },
    ];
  });
  const isNoteBack = foundSteps(snapshot, after).length === 0;
  return isNoteBack
    ? wrong
    : [...wrong, { path: "found", expected: "the note that the snapshot holds", found: "another one" }];
}
