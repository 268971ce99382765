import type { Account } from "@holdfast/core/domain.ts";
import { KEY_PATTERN } from "./ssh-key.ts";
import { CLOSED } from "./users.ts";

/** Who gets in by ssh, as far as this server's own accounts, keys and passwords say. */
type Effective = Readonly<Record<string, readonly string[]>>;

/** Where keys are looked for unless sshd is told otherwise; what lies elsewhere is not counted by us. */
const OWN_KEY_FILES = new Set([".ssh/authorized_keys", ".ssh/authorized_keys2", KEY_PATTERN]);

/** Null: it cannot be told, because keys or accounts come from places that are not looked at. */
export function whoEnters(
  effective: Effective,
  accounts: readonly Account[],
  today: number | null,
): readonly string[] | null {
  const word = (keyword: string): string => effective[keyword]?.[0] ?? "";
  const keysAnywhere =
    (word("authorizedkeyscommand") !== "none" && word("authorizedkeyscommand") !== "") ||
    word("authorizedkeysfile")
      .split(" ")
      .some((path) => path !== "" && !OWN_KEY_FILES.has(path)) ||
    (word("trustedusercakeys") !== "none" && word("trustedusercakeys") !== "");
  const byKey = word("pubkeyauthentication") !== "no";
  if (byKey && keysAnywhere) return null;
  const byPassword = word("passwordauthentication") === "yes" || word("kbdinteractiveauthentication") === "yes";
  return accounts
    .filter((account) => mayEnter(effective, account) && !hasEnded(account, today))
    .filter((account) => {
      const root = account.uid === 0 ? word("permitrootlogin") : "yes";
      if (root === "no" || root === "forced-commands-only") return false;
      // What could not be read counts as there: a false alarm about a lock-out would teach people to ignore it.
      const hasKey = byKey && (account.keys === null || account.keys > 0);
      const hasPassword = byPassword && root === "yes" && account.password !== "locked";
      return hasKey || hasPassword;
    })
    .map(({ name }) => name)
    .toSorted();
}

/** By the day on which it ends; a server that does not say which day it is has none that is past, but those that are closed. */
function hasEnded({ expires }: Account, today: number | null): boolean {
  return expires !== null && expires !== "" && (expires === CLOSED || (today !== null && Number(expires) <= today));
}

/** DenyUsers, AllowUsers, DenyGroups, AllowGroups, in the order in which sshd asks them (sshd_config(5)). */
function mayEnter(effective: Effective, account: Account): boolean {
  if (/\/(nologin|false)$/.test(account.shell)) return false;
  const listed = (keyword: string, names: readonly string[]): boolean | null => {
    const patterns = (effective[keyword] ?? []).flatMap((line) => line.split(/\s+/)).filter((one) => one !== "");
    return patterns.length === 0 ? null : patterns.some((pattern) => names.some((name) => matches(pattern, name)));
  };
  if (listed("denyusers", [account.name]) === true || listed("allowusers", [account.name]) === false) return false;
  return listed("denygroups", account.groups) !== true && listed("allowgroups", account.groups) !== false;
}

/** `*` and `?`; a host after `@` is not judged and counts as matching. */
function matches(pattern: string, name: string): boolean {
  const user = pattern.split("@")[0] ?? "";
  const source = user
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
