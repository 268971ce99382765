import { createHash } from "node:crypto";
import type {
  identitySchema,
  roleSchema,
  signedInSchema,
  tokenSchema,
  userSchema,
} from "@holdfast/core/api/account.ts";
import type { passkeySchema } from "@holdfast/core/api/passkey.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { TokenId } from "@holdfast/core/base/id.ts";
import type { z } from "zod";
import type {
  GrantRow,
  IdentityRow,
  PasskeyRow,
  RoleGrantRow,
  RoleRow,
  TokenRow,
  UserRow,
} from "../../store/tables.ts";
import { iso } from "./apply-view.ts";

type UserView = z.input<typeof userSchema>;
type Where = Pick<z.input<typeof tokenSchema>, "scope" | "domains">;

/** Of one account: what it was given itself, and its roles. */
export interface Given {
  readonly grants: readonly GrantRow[];
  readonly roles: readonly RoleGrantRow[];
}

export function userView(user: UserRow, given: Given, passkeys: number): UserView {
  return {
    name: user.name,
    kind: user.kind,
    disabled: user.disabled_at !== null,
    mustChangePassword: user.must_change,
    secondFactor: user.totp_since !== null,
    passkeys,
    permissions: given.grants.map((row) => ({ permission: row.permission, ...where(row) })),
    roles: given.roles.map((row) => ({ role: row.role, ...where(row) })),
    etag: givenEtag(given),
  };
}

/** Of what an account was given: whoever changes it says what they have read. */
export function givenEtag({ grants, roles }: Given): string {
  const text = canonicalJson([
    ...grants.map(({ permission, scope, domains }) => ({ permission, scope, domains })),
    ...roles.map(({ role, scope, domains }) => ({ role, scope, domains })),
  ]);
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}

export function tokenView(row: TokenRow): z.input<typeof tokenSchema> {
  return {
    id: row.id,
    name: row.name,
    permissions: [...row.permissions],
    ...where(row),
    createdAt: row.created_at.toISOString(),
    expiresAt: iso(row.expires_at),
    lastUsedAt: iso(row.last_used_at),
  };
}

export function signedInView(row: TokenRow, current: TokenId): z.input<typeof signedInSchema> {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    source: row.source,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: iso(row.last_used_at),
    expiresAt: iso(row.expires_at),
    current: row.id === current,
  };
}

export function identityView({ id, issuer, subject, linked_at }: IdentityRow): z.input<typeof identitySchema> {
  return { id, issuer, subject, linkedAt: linked_at.toISOString() };
}

export function passkeyView(row: PasskeyRow): z.input<typeof passkeySchema> {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: iso(row.last_used_at),
    synced: row.backed_up,
  };
}

export function roleView(row: RoleRow, heldBy: readonly string[]): z.input<typeof roleSchema> {
  return {
    name: row.name,
    description: row.description,
    permissions: [...row.permissions],
    heldBy: [...heldBy],
    etag: String(row.version),
  };
}

/** What the database holds was checked by the same schema when it was written; the answer's schema checks it again. */
function where({ scope, domains }: Pick<GrantRow, "scope" | "domains">): Where {
  return { scope: scope as Where["scope"], domains: domains === null ? null : ([...domains] as Where["domains"]) };
}
