import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import { aptProblem, aptWish } from "./apt-text.ts";
import { targetsOf } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { countsFailures, FAILLOCK_FILE, otherLockoutWords } from "./faillock-text.ts";
import type { SystemConfig } from "./model.ts";
import { lockoutStacks } from "./place-passwords.ts";
import { PROXY_FILE, proxyProblem } from "./proxy-text.ts";
import { QUALITY_FILE, qualityProblem, qualityWish } from "./quality-text.ts";
import { BOOT, inOrder, isNotYet, liveValue, sameValue, slotsOf, splitSlot, whyNot } from "./slots.ts";
import { effectiveProblem, sshdEffective, sshWish } from "./sshd-text.ts";
import { runningSshd } from "./step.ts";
import { parseTaskText, taskText, taskTimer } from "./task-text.ts";
import { everyDayAt } from "./time-of-day.ts";
import { UPDATES_TIMER } from "./timer-text.ts";
import { valueWords } from "./words.ts";

const RSYSLOG = "rsyslog.service";

/** More than this many are the same message: something else holds the server. */
const MOST_MISMATCHES = 50;

/** Whether what was read back is what was asked for. What cannot be read is a mismatch, never a silent success. */
export function verifySystem(desired: SystemConfig | null, observed: SystemObserved): readonly Mismatch[] {
  if (observed.foundProblem !== null)
    return [{ path: "found", expected: "a record that can be read", found: observed.foundProblem }];
  const targets = targetsOf(desired, observed);
  const mismatches = inOrder(Object.keys(targets)).flatMap((slot): readonly Mismatch[] => {
    if (isNotYet(observed, slot)) return [];
    return slotMismatch(slot, targets[slot] ?? null, observed);
  });
  const unrecorded = Object.keys(slotsOf(desired, observed)).filter((slot) => !(slot in observed.found));
  return [
    ...mismatches,
    ...unrecorded.map((slot) => ({ path: slot, expected: "a note of what was found", found: "none" })),
    ...(desired === null
      ? []
      : [
          ...sshdMismatches(desired, observed),
          ...workMismatches(desired, observed),
          ...updateMismatches(desired, observed),
          ...taskMismatches(desired, observed),
          ...passwordMismatches(desired, observed),
          ...proxyMismatches(desired, observed),
        ]),
  ].slice(0, MOST_MISMATCHES);
}

function slotMismatch(slot: string, want: Json, observed: SystemObserved): readonly Mismatch[] {
  const have = liveValue(observed, slot);
  if (have === undefined) return [{ path: slot, expected: valueWords(slot, want), found: whyNot(observed, slot) }];
  if (sameValue(have, want)) return [];
  // A setting that the kernel did not have when it became ours, and has by now: there is nothing to go back to.
  if (want === null && splitSlot(slot)[0] === "sysctl") return [];
  return [{ path: slot, expected: valueWords(slot, want), found: valueWords(slot, have) }];
}

/** The file being there is no evidence: what counts is what sshd makes of it, and that it listens. */
function sshdMismatches(desired: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  const ssh = sshWish(desired, observed);
  if (ssh === undefined || observed.booting) return [];
  if (observed.sshd === null)
    return [{ path: "ssh", expected: "an sshd that takes its configuration", found: observed.sshdProblem ?? "none" }];
  const problem = effectiveProblem(sshdEffective(ssh), observed.sshd);
  const silent =
    runningSshd(observed) === null ? [] : (ssh.port ?? []).filter((port) => !observed.listening.includes(port));
  return [
    ...(problem === null ? [] : [{ path: "ssh", expected: "what the policy says", found: problem }]),
    ...silent.map((port) => ({ path: "ssh", expected: `sshd on port ${port}`, found: "nobody listens there" })),
  ];
}

/** A file that nobody reads changes nothing: modules must be there, logs be sent, and authorities stand among those that are trusted. */
function workMismatches(desired: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  if (observed.booting) return [];
  const unloaded = (desired.modules?.load ?? []).filter((name) => !observed.modules.includes(name));
  const untrusted = Object.keys(desired.authorities ?? {}).filter((name) => !observed.trusted.includes(name));
  const isSending = desired.logs === undefined || observed.units?.[RSYSLOG]?.active === "active";
  return [
    ...unloaded.map((name) => ({ path: "modules:load", expected: `${name} loaded`, found: "it is not" })),
    ...untrusted.map((name) => ({ path: `authority:${name}`, expected: "trusted by programs", found: "it is not" })),
    ...(isSending ? [] : [{ path: "logs", expected: `${RSYSLOG} that runs`, found: "it does not" }]),
  ];
}

/** What counts is what apt makes of all of its files, and when systemd says that its timer is due. */
function updateMismatches({ updates }: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  if (updates === undefined || observed.booting) return [];
  const wish = aptWish(updates);
  const problem = wish === undefined ? null : observed.apt === null ? "no apt" : aptProblem(wish, observed.apt);
  const apt =
    problem === null ? [] : [{ path: "updates:apt", expected: "what the policy says, by apt itself", found: problem }];
  if (updates.window === undefined) return apt;
  const { from, within } = updates.window;
  const timer = observed.timers[UPDATES_TIMER];
  const isSet = timer?.spread === within && timer.times.join() === everyDayAt(from);
  if (isSet) return apt;
  const found =
    timer === undefined ? "no such timer" : `${timer.times.join(", ") || "never"}, spread over ${timer.spread} s`;
  return [...apt, { path: "updates:timer", expected: `${everyDayAt(from)}, spread over ${within} s`, found }];
}

/** Our file is no evidence: what counts is what systemd would start, and when. */
function taskMismatches({ tasks }: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  if (observed.booting) return [];
  return Object.entries(tasks ?? {}).flatMap(([name, task]): readonly Mismatch[] => {
    const said = parseTaskText(name, taskText(name, task));
    const timer = observed.timers[taskTimer(name)];
    const found =
      timer === undefined ? "no such timer" : timerWords(timer.unit, timer.times, timer.spread, timer.persistent);
    const expected = said.ok
      ? timerWords(said.value.unit, [said.value.calendar], said.value.jitter, said.value.persistent)
      : said.error;
    if (found !== expected) {
      const by = timer === undefined || timer.dropIns.length === 0 ? "" : ` (by ${timer.dropIns.join(", ")})`;
      return [{ path: `task:${name}`, expected, found: `${found}${by}` }];
    }
    return timer?.next === ""
      ? [{ path: `task:${name}`, expected: "a time at which it is due", found: "it is never due" }]
      : [];
  });
}

/** What counts is by whom apt itself says that it goes. */
function proxyMismatches({ proxy }: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  const problem = proxy === undefined ? null : proxyProblem(proxy, observed.aptProxies);
  return problem === null
    ? []
    : [{ path: `file:${PROXY_FILE}`, expected: "the proxies of the policy, by apt itself", found: problem }];
}

/** What counts is what the modules make of all files, and of the words behind them. */
function passwordMismatches({ passwords }: SystemConfig, observed: SystemObserved): readonly Mismatch[] {
  const { quality, lockout } = passwords ?? {};
  const problem =
    quality === undefined
      ? null
      : observed.pam.passwd.length === 0
        ? "no module that judges them"
        : qualityProblem(qualityWish(quality), observed.qualityLines, observed.pam.passwd);
  const isCounting = lockout === undefined || countsFailures(observed.pam.sshd);
  const [word] = lockout === undefined ? [] : otherLockoutWords(lockout, lockoutStacks(observed));
  const lock = !isCounting ? "failures are not counted" : word === undefined ? null : `${word.word} in ${word.path}`;
  return [
    ...(problem === null
      ? []
      : [{ path: `file:${QUALITY_FILE}`, expected: "new passwords as the policy says", found: problem }]),
    ...(lock === null
      ? []
      : [{ path: `file:${FAILLOCK_FILE}`, expected: "accounts locked as the policy says", found: lock }]),
  ];
}

function timerWords(unit: string, times: readonly string[], spread: number, persistent: boolean): string {
  return `${unit} at ${times.join(", ") || "no time"}, spread over ${spread} s${persistent ? ", made up for" : ""}`;
}

/** Slots whose state a reboot makes anew: no snapshot of a boot before says what they must be. */
function isOfThisBoot(slot: string): boolean {
  return slot.startsWith("unit:") && slot.endsWith(":running");
}

/** What is ours, by what was noted when it became ours. */
export function oursOf(observed: SystemObserved): Json {
  if (observed.foundProblem !== null) return { unreadable: true };
  const slots = inOrder(Object.keys(observed.found).filter((slot) => !slot.startsWith(BOOT) && !isOfThisBoot(slot)));
  return {
    found: observed.found,
    live: Object.fromEntries(slots.map((slot) => [slot, liveValue(observed, slot) ?? { unreadable: true }])),
  };
}
