import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Account } from "@holdfast/core/domain.ts";
import type { SystemObserved } from "./facts.ts";
import type { SystemConfig } from "./model.ts";
import { keysIn, keysText } from "./ssh-key.ts";
import { sudoText } from "./sudo-text.ts";

/**
 * People on a server. An account is made, changed and closed; it is removed only when a policy says so by word, and then not before the
 * change is confirmed: on trial it is only closed, so that an undo gives back the very same account. Homes are made when a change is
 * confirmed and never removed.
 */
export const DEFAULT_SHELL = "/bin/bash";
/** Day 1 of 1970: usermod(8) names it as the way to close an account. */
export const CLOSED = "1";
/** Debian's policy 9.2.2: below are the system's own accounts. */
const FIRST_PERSON = 1000;
const LAST_PERSON = 59_999;

export function accountOf(observed: SystemObserved, name: string): Account | undefined {
  return observed.accounts.find((account) => account.name === name);
}

export function isPerson(account: Account): boolean {
  return account.uid >= FIRST_PERSON && account.uid <= LAST_PERSON;
}

/** Parts of an account that a policy may say, each a slot of its own: what it does not say is not ours, and may change. */
export const ACCOUNT_PARTS = ["comment", "shell", "members"] as const;
export type AccountPart = (typeof ACCOUNT_PARTS)[number];

export function accountPart(account: Account, part: AccountPart): Json {
  return part === "members" ? ownGroups(account, account.groups) : account[part];
}

/** Beside its own one, which every account has. */
function ownGroups(account: Account | undefined, groups: readonly string[]): string[] {
  return groups.filter((group) => group !== account?.primary).toSorted();
}

/** The change of one part, as the performer takes it. */
export function partChange(
  part: AccountPart,
  value: Json,
): { comment?: string; shell?: string; groups?: string[] } | null {
  if (part === "members")
    return Array.isArray(value)
      ? { groups: value.filter((group): group is string => typeof group === "string") }
      : null;
  return typeof value === "string" ? { [part]: value } : null;
}

/** Every slot about people that a config owns. */
export function userSlots(
  users: NonNullable<SystemConfig["users"]>,
  observed: SystemObserved | null,
): Record<string, Json> {
  const slots: Record<string, Json> = {};
  for (const [name, user] of Object.entries(users)) {
    const account = observed === null ? undefined : accountOf(observed, name);
    if (user.state === "absent") {
      slots[`user:${name}`] = observed !== null && account === undefined ? null : CLOSED;
      slots[`keys:${name}`] = null;
      continue;
    }
    // /etc/shadow has the first day on which nobody gets in any more.
    if (user.until !== undefined) slots[`user:${name}`] = String(user.until + 1);
    else if (isMadeOrOpened(name, account, observed)) slots[`user:${name}`] = expiryOfOpen(account);
    if (user.comment !== undefined) slots[`comment:${name}`] = user.comment;
    if (user.shell !== undefined) slots[`shell:${name}`] = user.shell;
    for (const group of user.groups ?? []) slots[`group:${group}`] = true;
    if (user.groups !== undefined) slots[`members:${name}`] = ownGroups(account, user.groups);
    if (user.keys !== undefined) slots[`keys:${name}`] = user.keys.length === 0 ? null : keysText(user.keys);
  }
  const sudo = sudoText(users);
  if (sudo !== undefined) slots["sudo"] = sudo;
  return slots;
}

/** An account that is there and open needs nothing of ours; one of the system itself is owned to be refused. */
function isMadeOrOpened(name: string, account: Account | undefined, observed: SystemObserved | null): boolean {
  if (observed === null || account === undefined) return true;
  return Object.hasOwn(observed.found, `user:${name}`) || account.expires === CLOSED || !isPerson(account);
}

/** When it ends is somebody else's matter, unless it is closed. */
function expiryOfOpen(account: Account | undefined): string {
  return account === undefined || account.expires === CLOSED ? "" : (account.expires ?? "");
}

export function hasKeys(config: SystemConfig): boolean {
  return Object.values(config.users ?? {}).some((user) => user.state === "present" && (user.keys ?? []).length > 0);
}

/** The accounts as they will be, with the keys that we keep for them counted. */
export function accountsWith(
  observed: SystemObserved,
  targets: Readonly<Record<string, Json>>,
  isOurFolderRead: boolean,
): readonly Account[] {
  const names = Object.keys(targets).flatMap((slot) => (slot.startsWith("user:") ? [slot.slice("user:".length)] : []));
  const made = names.filter((name) => accountOf(observed, name) === undefined);
  const after = [...observed.accounts, ...made.map(newAccount)].flatMap((account): readonly Account[] => {
    const target = (kind: string): Json | undefined => targets[`${kind}:${account.name}`];
    if (target("user") === null) return [];
    const [expires, shell, members] = [target("user"), target("shell"), target("members")];
    const groups = partChange("members", members ?? null)?.groups;
    return [
      {
        ...account,
        ...(typeof expires === "string" ? { expires } : {}),
        ...(typeof shell === "string" ? { shell } : {}),
        ...(groups === undefined ? {} : { groups: [account.primary, ...groups] }),
      },
    ];
  });
  return after.map((account) => {
    const slot = `keys:${account.name}`;
    const text = slot in targets ? targets[slot] : observed.keyFiles[account.name];
    const ours = isOurFolderRead && typeof text === "string" ? keysIn(text).length : 0;
    return { ...account, keys: account.keys === null ? null : account.keys + ours };
  });
}

function newAccount(name: string): Account {
  return {
    name,
    uid: FIRST_PERSON,
    shell: DEFAULT_SHELL,
    primary: name,
    groups: [name],
    comment: "",
    expires: "",
    keys: 0,
    password: "locked",
  };
}
