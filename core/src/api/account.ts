import { z } from "zod";

export const PERMISSIONS = ["view", "edit", "apply", "approve", "audit", "admin"] as const;
/** None of them implies another; being an administrator does not give apply. */
export type Permission = (typeof PERMISSIONS)[number];

export const loginSchema = z.object({ user: z.string(), password: z.string() });
export const meSchema = z.object({
  user: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  mustChangePassword: z.boolean(),
  csrfToken: z.string().nullable().describe("For browser sessions: send it as X-Holdfast-CSRF with every unsafe request"),
});
export const changePasswordSchema = z.object({ current: z.string(), next: z.string().min(12).max(256) });

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
export const createTokenSchema = z.object({
  name: z.string().min(1).max(100),
  permissions: z.array(z.enum(PERMISSIONS)).min(1).describe("At most your own"),
  days: z.int().min(1).max(366).default(90),
});
export const createdTokenSchema = tokenSchema.extend({ secret: z.string().describe("Shown once") });

export const userSchema = z.object({
  name: z.string(),
  disabled: z.boolean(),
  permissions: z.array(z.object({ permission: z.enum(PERMISSIONS), scope: z.record(z.string(), z.union([z.string(), z.boolean()])) })),
});
export const createUserSchema = z.object({ name: z.string(), permissions: z.array(z.enum(PERMISSIONS)) });

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
export const auditVerifySchema = z.object({ entries: z.int(), intact: z.boolean(), firstBroken: z.int().nullable(), head: z.string() });

/** One row of `holdfast doctor`: what the mission asks, whether it holds here, and the evidence found on this installation. */
export const doctorRowSchema = z.object({ id: z.string(), asks: z.string(), holds: z.boolean(), evidence: z.string(), remedy: z.string() });
