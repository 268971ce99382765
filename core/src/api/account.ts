import { z } from "zod";
import { AUDIT_STANDINGS } from "../audit/standing.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { DOMAINS } from "../domain.ts";

export const PERMISSIONS = ["view", "edit", "apply", "approve", "audit", "admin", "watch", "probe"] as const;
/** None of them implies another; being an administrator does not give apply. */
export type Permission = (typeof PERMISSIONS)[number];

export const loginSchema = z.object({
  user: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
  code: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("Of the authenticator, or a recovery code, where the account has a second factor"),
});
export const meSchema = z.object({
  user: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  mustChangePassword: z.boolean(),
  secondFactor: z.boolean().describe("Signs in with a code as well"),
  passkeys: z.int().describe("How many passkeys the account has"),
  csrfToken: z
    .string()
    .nullable()
    .describe("For browser sessions: send it as X-Holdfast-CSRF with every unsafe request"),
});
/** `sessionToken` is for programs that keep no cookies; a browser gets its session as a cookie that no script can read, and null here. */
export const loginAnswerSchema = meSchema.extend({ sessionToken: z.string().nullable() });
export const changePasswordSchema = z.object({ current: z.string(), next: z.string().min(12).max(256) });

/** A path of the console: no other host, no `//host`, nothing that a browser would read as one. */
const consolePathSchema = z
  .string()
  .max(1000)
  .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/);
export const signInMethodsSchema = z.object({
  oidc: z.object({ label: z.string() }).nullable().describe("A provider that signs people in; null: passwords only"),
});
export const beginOidcSchema = z.object({
  next: consolePathSchema.default("/").describe("Where to go in the console afterwards"),
});
export const begunOidcSchema = z.object({ url: z.string().describe("Where the provider signs people in") });
/** What the provider gave the browser to take back. */
export const finishOidcSchema = z.object({
  state: z.string().min(1).max(500),
  code: z.string().min(1).max(4000).optional(),
  iss: z.string().max(1000).optional(),
  error: z.string().max(200).optional(),
});
export const finishedOidcSchema = z.object({
  me: meSchema.nullable().describe("Null: the account's own second factor is asked for, at /session/oidc/code"),
  next: z.string(),
});
/** A subject of the provider that signs an account in. */
export const identitySchema = z.object({
  id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  linkedAt: z.string(),
});
export const linkUserSchema = z.object({
  subject: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/, { error: "A subject has 1 to 255 printable ASCII characters" })
    .describe("As the refused sign-in shows it"),
});

/** Whoever changes how an account signs in shows that they are the person, not only the session. */
export const ownPasswordSchema = z.object({ password: z.string().min(1).max(256) });
export const offeredTotpSchema = z.object({
  secret: z.string().describe("For typing into an authenticator"),
  uri: z.string().describe("The same as otpauth://, for a picture"),
});
export const totpCodeSchema = z.object({ code: z.string().min(1).max(64) });
export const recoveryCodesSchema = z.object({
  codes: z.array(z.string()).describe("Shown once; each signs in once when the authenticator is gone"),
});
/** A session or a token: what somebody is signed in with. */
export const signedInSchema = z.object({
  id: z.string(),
  kind: z.enum(["session", "api"]),
  name: z.string(),
  source: z.string().describe("Where it was opened or made from"),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  current: z.boolean().describe("The one that asks"),
});

/** Where something holds: a label selector such as `{ all: true }` or `{ role: "web" }`. */
const scopeSchema = z
  .record(z.string(), z.union([z.string(), z.literal(true)]))
  .refine(isScope, { error: "Write { all: true } for every server, or the labels that must all match" });
/** Null: every domain. */
const domainsSchema = z.array(z.enum(DOMAINS)).min(1).nullable();

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  scope: scopeSchema,
  domains: domainsSchema,
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
export const createTokenSchema = z.object({
  name: z.string().min(1).max(100),
  permissions: z.array(z.enum(PERMISSIONS)).min(1).describe("At most your own"),
  scope: scopeSchema.default({ all: true }).describe("The servers it reaches, of those that you reach"),
  domains: domainsSchema.default(null),
  days: z.int().min(1).max(366).default(90),
});
export const createdTokenSchema = tokenSchema.extend({ secret: z.string().describe("Shown once") });

/** One permission with where it holds. */
export const grantSchema = z.object({
  permission: z.enum(PERMISSIONS),
  scope: scopeSchema,
  domains: domainsSchema.default(null),
});
export const roleNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, {
  error: "A role's name has lower-case letters, digits and - (40 at most) and begins with a letter",
});
/** A set of permissions under a name. What it says of none of them, it does not give. */
export const roleSchema = z.object({
  name: z.string(),
  description: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  heldBy: z.array(z.string()).describe("The accounts that it is given to"),
  etag: z.string(),
});
export const saveRoleSchema = z.object({
  description: z.string().max(200).default(""),
  permissions: z
    .array(z.enum(PERMISSIONS))
    .min(1)
    .refine((list) => new Set(list).size === list.length, { error: "A permission stands here twice" }),
});
export const roleGrantSchema = z.object({ role: z.string(), scope: scopeSchema, domains: domainsSchema.default(null) });
export const userSchema = z.object({
  name: z.string(),
  kind: z.enum(["person", "service"]),
  disabled: z.boolean(),
  mustChangePassword: z.boolean(),
  secondFactor: z.boolean(),
  passkeys: z.int(),
  permissions: z.array(grantSchema).describe("Given to the account itself"),
  roles: z.array(roleGrantSchema),
  etag: z.string(),
});
export const userNameSchema = z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, {
  error: "A name has lower-case letters, digits, - . and _ (64 at most) and begins with a letter",
});
export const createUserSchema = z.object({
  name: userNameSchema,
  permissions: z.array(z.enum(PERMISSIONS)).default([]).describe("On every server; narrow them afterwards with PUT"),
  roles: z
    .array(roleGrantSchema)
    .max(100)
    .refine(isOnceEach, { error: "A role stands here twice with the same scope" })
    .default([]),
});
export const setPermissionsSchema = z.object({
  permissions: z
    .array(grantSchema)
    .max(100)
    .refine(isOnceEach, { error: "A permission stands here twice with the same scope" }),
  roles: z
    .array(roleGrantSchema)
    .max(100)
    .refine(isOnceEach, { error: "A role stands here twice with the same scope" })
    .optional()
    .describe("Absent: the roles stay as they are"),
});
export const oneTimePasswordSchema = z.object({
  name: z.string(),
  password: z.string().describe("Shown once; it must be changed at the first sign-in"),
});

/** Domains of one permission in one scope are one list: two entries would have to be added up by whoever reads them. */
function isOnceEach(
  grants: readonly {
    readonly permission?: string;
    readonly role?: string;
    readonly scope: Readonly<Record<string, string | true>>;
  }[],
): boolean {
  const keys = grants.map(({ permission, role, scope }) => canonicalJson([permission ?? role ?? "", scope]));
  return new Set(keys).size === keys.length;
}

function isScope(scope: Readonly<Record<string, string | true>>): boolean {
  const keys = Object.keys(scope);
  return scope["all"] === true
    ? keys.length === 1
    : keys.length > 0 && !keys.includes("all") && !Object.values(scope).includes(true);
}

export const auditEntrySchema = z.object({
  id: z.int(),
  at: z.string(),
  actor: z.string(),
  source: z.string(),
  action: z.string(),
  object: z.string(),
  server: z.string().nullable(),
  requestId: z.string().nullable(),
  old: z.unknown().nullable(),
  new: z.unknown().nullable(),
  resultCode: z.string(),
  hash: z.string(),
});
/** What one server keeps of the audit log, and how that stands to the log of the database. */
export const heldHeadSchema = z.object({
  server: z.string().nullable().describe("null: one that you may not see"),
  standing: z
    .enum(AUDIT_STANDINGS)
    .describe(
      "ahead: the log was cut or an older one put back; forked: it was written anew; unproven: not signed by this house, or not by the server",
    ),
  from: z.enum(["server", "receipt", "nobody"]).describe("receipt: it could not be asked; nobody: and has signed none"),
  epoch: z.int().nullable(),
  entries: z.int().nullable(),
  head: z.string().nullable(),
  at: z.string().nullable(),
});

export const auditVerifySchema = z.object({
  entries: z.int(),
  intact: z.boolean(),
  firstBroken: z.int().nullable(),
  reason: z
    .enum(["position", "previous", "content", "cut_off", "rewritten", "forged_checkpoint"])
    .nullable()
    .describe("cut_off: a head that was kept is beyond the end; rewritten: it is not in the chain where it was"),
  head: z.string(),
  anchors: z.int().describe("Heads that were signed and kept, and found in the chain"),
  newestAnchor: z.object({ entries: z.int(), head: z.string(), at: z.string() }).nullable(),
  epoch: z
    .int()
    .describe("Which times somebody has accepted a log that was not the one that servers keep a head of; from 1"),
  nextEpoch: z.int().nullable().describe("What POST /audit/epochs would begin; null while nothing is there to accept"),
  onServers: z.object({
    counts: z
      .record(z.enum(AUDIT_STANDINGS), z.int())
      .describe("How many servers keep a head that stands so to the log"),
    unasked: z
      .int()
      .describe("Of these, how many could not be asked now: they are counted by the last that they signed"),
    notable: z
      .array(heldHeadSchema)
      .describe("Those whose head is not simply in the log, the worst first; a hundred at most"),
  }),
});

export const beginEpochSchema = z.object({
  epoch: z.int().min(2).describe("The one that the verification told, so that what is accepted is what was read"),
  reason: z.string().trim().min(1).max(500),
});
export const epochBegunSchema = z.object({ epoch: z.int(), entries: z.int(), head: z.string(), at: z.string() });

/** One row of `holdfast doctor`: what the mission asks, whether it holds here, and the evidence found on this installation. */
export const doctorRowSchema = z.object({
  id: z.string(),
  asks: z.string(),
  holds: z.boolean(),
  evidence: z.string(),
  remedy: z.string(),
});
