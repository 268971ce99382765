import type { Permission } from "@holdfast/core/api/account.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { RoleGrantRow, RoleRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export function listRoles(database: Queryable): Promise<readonly RoleRow[]> {
  return database.rows<RoleRow>(sql`select * from roles order by name`);
}

export function getRole(database: Queryable, name: string): Promise<RoleRow | undefined> {
  return database.maybe<RoleRow>(sql`select * from roles where name = ${name}`);
}

export interface NewRole {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

/** `version` null: it must be new. `store.lost_race`: it is there already, or has been changed since that version. */
export async function saveRole(tx: Transaction, role: NewRole, version: number | null, by: Actor): Promise<RoleRow> {
  const before = await tx.maybe<RoleRow>(sql`select * from roles where name = ${role.name} for update`);
  if ((before?.version ?? null) !== version)
    throw new StoreFailure("store.lost_race", "the role has been changed since it was read", { role: role.name });
  const row = await tx.one<RoleRow>(sql`
    insert into roles (name, description, permissions) values (${role.name}, ${role.description}, ${role.permissions})
    on conflict (name) do update set description = excluded.description, permissions = excluded.permissions, version = roles.version + 1
    returning *`);
  tx.audit({
    ...by,
    action: before === undefined ? "role.created" : "role.changed",
    object: `role/${role.name}`,
    ...(before === undefined ? {} : { old: { description: before.description, permissions: before.permissions } }),
    new: { description: role.description, permissions: role.permissions },
    resultCode: "ok",
  });
  return row;
}

/** `store.wrong_state` while somebody holds it; whoever is given it in this moment waits for the row and then finds it gone. */
export async function deleteRole(tx: Transaction, name: string, by: Actor): Promise<void> {
  const gone = await tx.one<RoleRow>(sql`select * from roles where name = ${name} for update`);
  const { held } = await tx.one<{ held: number }>(sql`select count(*) as held from role_grants where role = ${name}`);
  if (held > 0) throw new StoreFailure("store.wrong_state", `the role ${name} is held by somebody`, { role: name });
  await tx.run(sql`delete from roles where name = ${name}`);
  tx.audit({
    ...by,
    action: "role.deleted",
    object: `role/${name}`,
    old: { description: gone.description, permissions: gone.permissions },
    resultCode: "ok",
  });
}

export function listRoleGrants(database: Queryable, user: UserId): Promise<readonly RoleGrantRow[]> {
  return database.rows<RoleGrantRow>(sql`select * from role_grants where user_id = ${user} order by role, scope`);
}

export function listAllRoleGrants(database: Queryable): Promise<readonly RoleGrantRow[]> {
  return database.rows<RoleGrantRow>(sql`select * from role_grants order by user_id, role, scope`);
}

export type RoleGrant = Pick<RoleGrantRow, "role" | "scope" | "domains">;

/** The roles of an account become exactly these. */
export async function setRoles(tx: Transaction, user: UserId, roles: readonly RoleGrant[], by: Actor): Promise<void> {
  await tx.one(sql`select id from users where id = ${user} for update`);
  const before = await listRoleGrants(tx, user);
  if (before.length === 0 && roles.length === 0) return;
  await tx.run(sql`delete from role_grants where user_id = ${user}`);
  for (const { role, scope, domains } of roles) {
    await tx.run(sql`
      insert into role_grants (user_id, role, scope, domains) values (${user}, ${role}, ${json(scope)}, ${domains})`);
  }
  tx.audit({
    ...by,
    action: "user.roles_set",
    object: `user/${user}`,
    old: before.map(({ role, scope, domains }) => ({ role, scope, domains })),
    new: roles.map(({ role, scope, domains }) => ({ role, scope, domains })),
    resultCode: "ok",
  });
}
