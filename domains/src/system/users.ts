import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Account } from "@holdfast/core/domain.ts";
import type { SystemObserved } from "./facts.ts";
import type { SystemConfig, UserConfig } from "./model.ts";
import { keysIn, keysText } from "./ssh-key.ts";
import { sudoText } from "./sudo-text.ts";

/**
 * People on a server. An account is made, changed and closed; it is removed only when a policy says so by word, and then not before the
 * change is confirmed: on trial it is only closed, so that an undo gives back the very same account. Homes are made when a change is
 * confirmed and never removed.
 */
const DEFAULT_SHELL = "/bin/bash";
/** Day 1 of 1970: usermod(8) names it as the way to close an account. */
export const CLOSED = "1";
/** Debian's policy 9.2.2: below are the system's own accounts. */
const FIRST_PERSON = 1000;
const LAST_PERSON = 59_999;

/** What of an account is a policy's matter; type alias, so that it is plain JSON. */
export type AccountState = {
  readonly comment: string;
  /** Day since 1970, or "" for never. */
  readonly expires: string;
  /** Beside its own one. */
  readonly groups: readonly string[];
  readonly shell: string;
};

export function accountOf(observed: SystemObserved, name: string): Account | undefined {
  return observed.accounts.find((account) => account.name === name);
}

export function isPerson(account: Account): boolean {
  return account.uid >= FIRST_PERSON && account.uid <= LAST_PERSON;
}

export function accountState(account: Account): AccountState {
  return {
    comment: account.comment,
    expires: account.expires ?? "",
    groups: account.groups.filter((group) => group !== account.primary).toSorted(),
    shell: account.shell,
  };
}

export function readAccountState(value: Json): AccountState | null {
  if (typeof value !== "object" || value === null || !("shell" in value)) return null;
  const { comment, expires, groups, shell } = value;
  if (typeof comment !== "string" || typeof expires !== "string" || typeof shell !== "string") return null;
  return Array.isArray(groups) && groups.every((group) => typeof group === "string")
    ? { comment, expires, groups, shell }
    : null;
}

/** What the account shall be. What the policy does not say stays as it is; null: it is not there, and need not be made. */
export function wantedAccount(user: UserConfig, observed: SystemObserved | null, name: string): AccountState | null {
  const account = observed === null ? undefined : accountOf(observed, name);
  const live = account === undefined ? null : accountState(account);
  if (user.state === "absent") return live === null ? null : { ...live, expires: CLOSED };
  return {
    comment: user.comment ?? live?.comment ?? "",
    expires: live === null || live.expires === CLOSED ? "" : live.expires,
    groups: (user.groups ?? live?.groups ?? []).filter((group) => group !== account?.primary).toSorted(),
    shell: user.shell ?? live?.shell ?? DEFAULT_SHELL,
  };
}

/** Every slot about people that a config owns. */
export function userSlots(
  users: NonNullable<SystemConfig["users"]>,
  observed: SystemObserved | null,
): Record<string, Json> {
  const slots: Record<string, Json> = {};
  for (const [name, user] of Object.entries(users)) {
    slots[`user:${name}`] = wantedAccount(user, observed, name);
    if (user.state === "absent") {
      slots[`keys:${name}`] = null;
      continue;
    }
    for (const group of user.groups ?? []) slots[`group:${group}`] = true;
    if (user.keys !== undefined) slots[`keys:${name}`] = user.keys.length === 0 ? null : keysText(user.keys);
  }
  const sudo = sudoText(users);
  if (sudo !== undefined) slots["sudo"] = sudo;
  return slots;
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
    const slot = `user:${account.name}`;
    if (!(slot in targets)) return [account];
    const want = readAccountState(targets[slot] ?? null);
    if (want === null) return [];
    return [{ ...account, expires: want.expires, shell: want.shell, groups: [account.primary, ...want.groups] }];
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
