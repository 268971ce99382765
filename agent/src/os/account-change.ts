import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Account } from "@holdfast/core/domain.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import { accountPart } from "@holdfast/domains/system/users.ts";
import { readAccounts } from "./accounts.ts";
import { exec } from "./exec.ts";
import { readTextIfThere } from "./files.ts";
import { canMakeHome } from "./home.ts";

type AccountWish = Extract<Action, { kind: "account" }>["want"];

/** The tools of Debian's package passwd. They hold the lock of the files, and a crash in the middle leaves the old files or the new ones. */
const TOOLS = {
  make: "/usr/sbin/useradd",
  change: "/usr/sbin/usermod",
  remove: "/usr/sbin/userdel",
  makeGroup: "/usr/sbin/groupadd",
  removeGroup: "/usr/sbin/groupdel",
} as const;

export async function rehearseAccount(root: string, name: string, want: AccountWish): Promise<Result<null, string>> {
  for (const tool of Object.values(TOOLS))
    if (!existsSync(join(root, tool))) return err(`there is no ${tool} on this server`);
  if (want === null) return ok(null);
  if (want.shell !== undefined && !existsSync(join(root, want.shell)))
    return err(`there is no shell ${want.shell} on this server`);
  if (find(root, name) !== undefined || !want.make) return ok(null);
  if (groupsOf(root).includes(name))
    return err(
      `there is a group ${name} without an account of that name, so ${name} could not have a group of its own`,
    );
  const home = canMakeHome(root, name);
  if (!home.ok) return home;
  // A directory of the house may know the name; the tools would refuse it half-way.
  const elsewhere = await exec(["getent", "passwd", "--", name], { timeoutMs: LOOK_UP_MS });
  return elsewhere.status === 0 ? err(`${name} is an account of the directory service already`) : ok(null);
}

const LOOK_UP_MS = 5_000;

/** Makes an account or changes what is stated of it, and reads it back. */
export async function changeAccount(
  root: string,
  name: string,
  want: AccountWish,
  timeoutMs: number,
): Promise<Result<null, string>> {
  const live = find(root, name);
  if (want === null) {
    if (live === undefined) return ok(null);
    // Without -r: what is in a home is not ours to remove.
    const removed = await run([TOOLS.remove, "--", name], timeoutMs);
    if (!removed.ok) return removed;
    return find(root, name) === undefined ? ok(null) : err(`the account ${name} is still there`);
  }
  if (live === undefined && !want.make) return err(`there is no account ${name}`);
  const stated = statedOptions(want);
  if (live !== undefined && stated.length === 0) return ok(null);
  const done =
    live === undefined
      ? await run(
          [
            TOOLS.make,
            "--no-create-home",
            "--home-dir",
            `/home/${name}`,
            "--user-group",
            // No password at all. `!`, which is the default, is a lock to sshd where it does not use PAM.
            "--password",
            "*",
            // What has no password must not run out: whoever gets in by a key would be asked for a new one, and could not give the old.
            "--key",
            "PASS_MAX_DAYS=99999",
            "--key",
            "PASS_MIN_DAYS=0",
            ...stated,
            "--",
            name,
          ],
          timeoutMs,
        )
      : await run([TOOLS.change, ...stated, "--", name], timeoutMs);
  if (!done.ok) return done;
  const after = find(root, name);
  if (after === undefined) return err(`the account ${name} is not there`);
  const { comment, expires, groups, shell } = want;
  const isSo =
    (comment === undefined || after.comment === comment) &&
    (expires === undefined || after.expires === expires) &&
    (shell === undefined || after.shell === shell) &&
    (groups === undefined || sameNames(groups, accountPart(after, "members")));
  return isSo ? ok(null) : err(`the account ${name} reads back otherwise than it was set`);
}

function statedOptions(want: NonNullable<AccountWish>): readonly string[] {
  const { comment, expires, groups, shell } = want;
  return [
    ...(comment === undefined ? [] : ["--comment", comment]),
    ...(shell === undefined ? [] : ["--shell", shell]),
    ...(expires === undefined ? [] : ["--expiredate", expires]),
    ...(groups === undefined ? [] : ["--groups", groups.join(",")]),
  ];
}

function sameNames(wanted: readonly string[], found: unknown): boolean {
  return Array.isArray(found) && found.join() === wanted.toSorted().join();
}

export async function changeGroup(
  root: string,
  name: string,
  exists: boolean,
  timeoutMs: number,
): Promise<Result<null, string>> {
  if (groupsOf(root).includes(name) === exists) return ok(null);
  const done = await run([exists ? TOOLS.makeGroup : TOOLS.removeGroup, "--", name], timeoutMs);
  if (!done.ok) return done;
  return groupsOf(root).includes(name) === exists ? ok(null) : err(`the group ${name} is as it was`);
}

function find(root: string, name: string): Account | undefined {
  return readAccounts(root, "/etc").find((account) => account.name === name);
}

function groupsOf(root: string): readonly string[] {
  return (readTextIfThere(join(root, "/etc/group")) ?? "").split("\n").map((line) => line.split(":")[0] ?? "");
}

async function run(argv: readonly [string, ...string[]], timeoutMs: number): Promise<Result<null, string>> {
  const done = await exec(argv, { timeoutMs });
  return done.status === 0 ? ok(null) : err(`${argv[0]}: ${done.stderr.trim().split("\n").join("; ")}`);
}
