import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Account } from "@holdfast/core/domain.ts";
import { type SlotChange, targetsOf } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { liveValue, splitSlot } from "./slots.ts";
import { KEY_PATTERN } from "./ssh-key.ts";
import { whoEnters } from "./sshd-access.ts";
import { sshdEffective, sshWish } from "./sshd-text.ts";
import { sudoRights } from "./sudo-text.ts";
import { accountsWith } from "./users.ts";

/** Slots that decide who gets in, and who may mend the server then. */
const ENTRANCES: readonly string[] = ["ssh", "user", "shell", "members", "keys", "sudo"];

export function isEntrance(slot: string): boolean {
  return ENTRANCES.includes(splitSlot(slot)[0]);
}

/** Can a person still log in, and become root? Counted over the accounts as they are and as they will be. */
export function peopleFindings(
  desired: SystemConfig | null,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const before = observed.sshd;
  if (before === null) return [];
  const ssh = desired === null ? undefined : sshWish(desired, observed);
  const after = { ...before, ...(ssh === undefined ? {} : sshdEffective(ssh)) };
  const targets = targetsOf(desired, observed);
  const accounts = accountsWith(observed, targets, hasOurs(after));
  const own = accountsWith(observed, {}, hasOurs(before));
  const [now, next] = [whoEnters(before, own, observed.today), whoEnters(after, accounts, observed.today)];
  if (next === null) {
    const message =
      "Keys of this server come from places that we do not look at, so nobody can say here who will be able to log in.";
    return [finding("system.ssh_nobody_seen", "system.ssh", message)];
  }
  if (next.length === 0) {
    const nobody = "Nobody could log in by ssh: no account that may enter has a key or a password that still counts";
    if (observed.foreignAccounts)
      return [finding("system.ssh_nobody_seen", "system.ssh", `${nobody}, unless one of the directory service has.`)];
    if (now !== null && now.length === 0) return [finding("system.ssh_nobody_now", "system.ssh", `${nobody}.`)];
    // What sshd does without our file is known when it is gone: the trial shows it.
    const isReleased = changes.some(({ slot, kind }) => slot === "ssh" && kind === "restore");
    if (isReleased)
      return [
        finding("system.ssh_nobody_seen", "system.ssh", `${nobody}, unless sshd's own settings let somebody in.`),
      ];
    return [finding("system.ssh_nobody_enters", "system.ssh", `${nobody}.`)];
  }
  const lost = (now ?? []).filter((name) => !next.includes(name));
  return [
    ...(lost.length === 0
      ? []
      : [
          finding(
            "system.management_ssh_changed",
            "system.ssh",
            `${lost.join(", ")} can log in by ssh now and could not any more; ${next.join(", ")} still can.`,
          ),
        ]),
    ...rootFindings(
      whoBecomesRoot(now ?? [], own, liveValue(observed, "sudo") ?? null),
      whoBecomesRoot(
        next,
        accounts,
        "sudo" in targets ? (targets["sudo"] ?? null) : (liveValue(observed, "sudo") ?? null),
      ),
    ),
  ];
}

export function hasOurs(effective: Readonly<Record<string, readonly string[]>>): boolean {
  return (effective["authorizedkeysfile"] ?? []).join(" ").split(" ").includes(KEY_PATTERN);
}

/** Groups that distributions let do everything by sudo, each with the member's own password. */
const SUDO_GROUPS: readonly string[] = ["sudo", "wheel", "admin"];

/** Of those who enter: root itself, and whom our file or a usual group lets do everything. Other files of sudo are not read. */
function whoBecomesRoot(names: readonly string[], accounts: readonly Account[], sudo: Json): readonly string[] {
  const rights = sudoRights(typeof sudo === "string" ? sudo : "");
  return accounts
    .filter(({ name }) => names.includes(name))
    .filter((account) => {
      const byGroup = account.groups.some((group) => SUDO_GROUPS.includes(group));
      const right = rights.get(account.name) ?? (byGroup ? "password" : "none");
      return account.uid === 0 || right === "free" || (right === "password" && account.password !== "locked");
    })
    .map(({ name }) => name);
}

function rootFindings(now: readonly string[], next: readonly string[]): readonly Finding[] {
  if (now.length === 0 || next.length > 0) return [];
  const message = `${now.join(", ")} can log in and become root now, and nobody could any more, as far as our file of sudo and its usual groups say.`;
  return [finding("system.nobody_administers", "system.users", message)];
}
