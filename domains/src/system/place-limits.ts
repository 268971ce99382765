import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import type { SlotChange } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { laterLimitLines } from "./limits-text.ts";
import type { SystemConfig } from "./model.ts";

const NR_OPEN = "fs.nr_open";

/** Whether people still get in with these limits, and whether anybody reads them. */
export function limitFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const { limits } = desired;
  if (limits === undefined) return [];
  const at = (who: string, ...rest: readonly string[]): string => formatPath(["system", "limits", who, ...rest]);
  const most = Number(desired.sysctl?.[NR_OPEN] ?? observed.sysctl[NR_OPEN] ?? "");
  const above = Object.entries(limits).flatMap(([who, { nofile }]) =>
    nofile === undefined || most === 0 || Number(nofile.hard) <= most
      ? []
      : [
          finding(
            "system.limits_above_kernel",
            at(who, "nofile"),
            `The kernel of this server gives a program ${most} open files at most (${NR_OPEN}), so pam_limits could not set ${nofile.hard}: as its version is, the login ends there or goes on without it.`,
          ),
        ],
  );
  const later = laterLimitLines(limits, observed.limitLines).map(({ who, path, line, domain, item, value }) =>
    finding(
      "system.limits_overridden",
      at(who, item),
      `${path} line ${line} limits ${item} of ${domain} to ${value}, and is read after our file.`,
    ),
  );
  const unknown = Object.keys(limits).flatMap((who) => {
    const [kind, name = ""] = who.split(" ");
    const isKnown =
      kind === "everyone" ||
      (kind === "user"
        ? observed.accounts.some((account) => account.name === name) || desired.users?.[name] !== undefined
        : observed.groups.includes(name));
    return isKnown || observed.foreignAccounts
      ? []
      : [finding("system.limits_nobody", at(who), `There is no ${kind ?? ""} ${name} on this server.`)];
  });
  const isRead = observed.limitsReadBy.includes("sshd") && (observed.sshd?.["usepam"] ?? ["yes"])[0] === "yes";
  const idle = isRead
    ? []
    : [finding("system.limits_not_read", "system.limits", "sshd of this server does not let pam_limits set them.")];
  const begun = changes.some(({ slot }) => slot === "limits")
    ? [
        finding(
          "system.limits_next_login",
          "system.limits",
          "They hold from the next login on; sessions that are open and services keep theirs.",
        ),
      ]
    : [];
  return [...above, ...later, ...unknown, ...idle, ...begun];
}
