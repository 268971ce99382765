import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import type { SlotChange } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import type { SystemConfig } from "./model.ts";
import { splitSlot } from "./slots.ts";
import { accountOf } from "./users.ts";

/** What the accounts of this server say about those that a policy names. */
export function userFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const users = Object.entries(desired.users ?? {});
  const path = (name: string): string => formatPath(["system", "users", name]);
  const removed = users.flatMap(([name, user]) =>
    user.state === "absent" && accountOf(observed, name) !== undefined
      ? [
          finding(
            "system.user_removed",
            path(name),
            `The account ${name} is closed at once and removed when the change is confirmed; its home stays.`,
          ),
        ]
      : [],
  );
  const silent = users.flatMap(([name, user]) =>
    user.state === "present" && user.sudo === "password" && accountOf(observed, name)?.password !== "set"
      ? [
          finding(
            "system.sudo_needs_password",
            path(name),
            `sudo would ask ${name} for a password, and the account has none.`,
          ),
        ]
      : [],
  );
  const made = changes.filter(({ slot, to }) => slot.startsWith("group:") && to === true);
  const groups = made.map(({ slot }) =>
    finding("system.group_made", "system.users", `There is no group ${splitSlot(slot)[1]} yet; it is made.`),
  );
  return [...removed, ...silent, ...groups];
}
