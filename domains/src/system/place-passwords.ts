import type { Finding } from "@holdfast/core/base/finding.ts";
import { type SlotChange, targetsOf } from "./diff.ts";
import type { SystemObserved } from "./facts.ts";
import { countsFailures, FAILLOCK_FILE, lockoutProblem, otherLockoutWords, readLockout } from "./faillock-text.ts";
import { fileOf } from "./file-value.ts";
import { finding } from "./findings.ts";
import { hasOurs } from "./guard-people.ts";
import type { SystemConfig } from "./model.ts";
import type { PamLine } from "./pam-stack.ts";
import { otherQualityLines, qualityWish } from "./quality-text.ts";
import { whoEnters } from "./sshd-access.ts";
import { sshdEffective, sshWish } from "./sshd-text.ts";
import { accountsWith } from "./users.ts";

type Passwords = NonNullable<SystemConfig["passwords"]>;

/** Whether anybody on this server judges passwords and counts failures, who else says how, and whom it keeps out. */
export function passwordFindings(
  desired: SystemConfig,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const { quality, age, lockout } = desired.passwords ?? {};
  return [
    ...(quality === undefined ? [] : qualityFindings(quality, observed)),
    ...(age !== undefined && changes.some(({ slot }) => slot.startsWith("login:"))
      ? [
          finding(
            "system.passwords_age_new",
            "system.passwords.age",
            "It is for accounts that others make from now on; one without a password is closed by it too when the time is over. Accounts that are there keep what they have, and what a policy makes has no end of it.",
          ),
        ]
      : []),
    ...(lockout === undefined ? [] : lockoutFindings(desired, lockout, observed, changes)),
  ];
}

function qualityFindings(quality: NonNullable<Passwords["quality"]>, observed: SystemObserved): readonly Finding[] {
  const missing = unjudged(observed);
  if (missing.length > 0) return missing;
  const lines = otherQualityLines(qualityWish(quality), observed.qualityLines, observed.pam.passwd);
  return [
    ...lines.map(({ path, line, key, value }) =>
      finding(
        "system.passwords_overridden",
        "system.passwords.quality",
        `${path} line ${line} says ${key}${value === "" ? "" : ` = ${value}`}, and wins over our file.`,
      ),
    ),
    ...(quality.dictionary === true && !observed.dictionary
      ? [
          finding(
            "system.passwords_no_dictionary",
            "system.passwords.quality.dictionary",
            "There is no dictionary of cracklib on this server, and without it every new password is refused.",
          ),
        ]
      : []),
  ];
}

/** Without the module, what a file says of passwords is read by nobody. */
export function unjudged({ pam }: SystemObserved): readonly Finding[] {
  if (pam.passwd.length > 0) return [];
  return [
    finding(
      "system.passwords_not_judged",
      "system.passwords.quality",
      "PAM of this server does not ask pam_pwquality about new passwords (/etc/pam.d/passwd and what it includes), so nobody would judge them.",
    ),
  ];
}

export function uncounted({ pam }: SystemObserved): readonly Finding[] {
  if (countsFailures(pam.sshd)) return [];
  return [
    finding(
      "system.lockout_not_counted",
      "system.passwords.lockout",
      "PAM of this server does not let pam_faillock count failures at sshd (authfail) and ask about them (preauth or authsucc) in /etc/pam.d/sshd and what it includes, so nobody would be locked.",
    ),
  ];
}

/** Lines of all ways in, each once: they mostly include the same file. */
export function lockoutStacks({ pam }: SystemObserved): readonly PamLine[] {
  return [...new Map([...pam.sshd, ...pam.login].map((one) => [`${one.path}:${one.line}`, one])).values()];
}

function lockoutFindings(
  desired: SystemConfig,
  lockout: NonNullable<Passwords["lockout"]>,
  observed: SystemObserved,
  changes: readonly SlotChange[],
): readonly Finding[] {
  const missing = uncounted(observed);
  if (missing.length > 0) return missing;
  const words = otherLockoutWords(lockout, lockoutStacks(observed)).map(({ path, line, word }) =>
    finding("system.lockout_overridden", "system.passwords.lockout", `${path} line ${line} says ${word}.`),
  );
  const targets = targetsOf(desired, observed);
  const text = fileOf(targets[`file:${FAILLOCK_FILE}`] ?? null)?.text ?? "";
  const problem = lockoutProblem(text);
  if (problem !== null)
    return [
      ...words,
      finding(
        "system.lockout_keeps_out",
        "system.passwords.lockout",
        `With what else ${FAILLOCK_FILE} says, ${problem}.`,
      ),
    ];
  if (!changes.some(({ slot }) => slot === `file:${FAILLOCK_FILE}`)) return words;
  const { after, root } = readLockout(text);
  const rooted = root
    ? [
        finding(
          "system.lockout_root",
          "system.passwords.lockout.root",
          "root is locked too, at the console as well: whoever types wrong passwords for it keeps it out.",
        ),
      ]
    : [];
  return [...words, ...rooted, ...lockedOut(desired, observed, targets, after)];
}

/** Who gets in by a password alone can be kept out by anybody who reaches sshd. */
function lockedOut(
  desired: SystemConfig,
  observed: SystemObserved,
  targets: ReturnType<typeof targetsOf>,
  after: number,
): readonly Finding[] {
  if (observed.sshd === null) return [];
  const ssh = sshWish(desired, observed);
  const effective = { ...observed.sshd, ...(ssh === undefined ? {} : sshdEffective(ssh)) };
  const accounts = accountsWith(observed, targets, hasOurs(effective));
  const names = whoEnters(effective, accounts, observed.today) ?? [];
  const byPassword = accounts.filter(({ name, keys }) => names.includes(name) && keys === 0).map(({ name }) => name);
  if (byPassword.length === 0) return [];
  const who = byPassword.toSorted().join(", ");
  const how = `whoever reaches sshd and types ${after} wrong passwords for one of them keeps that one out, from sudo too`;
  return byPassword.length === names.length
    ? [
        finding(
          "system.lockout_everybody",
          "system.passwords.lockout",
          `Nobody who gets in by ssh has a key (${who}): ${how}.`,
        ),
      ]
    : [finding("system.lockout_by_anyone", "system.passwords.lockout", `By a password alone get in ${who}: ${how}.`)];
}
