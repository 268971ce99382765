import { z } from "zod";
import { APPLY_STATES } from "../apply/state.ts";
import { applySummarySchema } from "./apply.ts";
import { findingSchema } from "./problem.ts";

export const documentRefSchema = z.object({ kind: z.string(), name: z.string() });

/**
 * What a change holds. `text` may hold several documents of one file; each becomes one item. `baseRevision` is the head that the author saw:
 * absent means "the head of now". A head that has moved is refused with who moved it.
 */
export const changeEditSchema = z.object({
  documents: z
    .array(z.object({ text: z.string(), file: z.string().optional(), baseRevision: z.int().min(0).optional() }))
    .max(200)
    .default([]),
  deletes: z
    .array(documentRefSchema.extend({ baseRevision: z.int().min(1).optional() }))
    .max(200)
    .default([]),
});
export const createChangeSchema = changeEditSchema.extend({
  title: z.string().min(1).max(200),
  reason: z.string().max(4000).default(""),
});
export type CreateChange = z.input<typeof createChangeSchema>;

export const changeItemSchema = z.object({
  kind: z.string(),
  name: z.string(),
  text: z.string().nullable(),
  baseRevision: z.int(),
  baseText: z.string().nullable().describe("What is the head now, for a text diff"),
  revision: z.int().nullable(),
});

export const planSchema = z.object({
  id: z.string(),
  changeId: z.string(),
  server: z.string(),
  kind: z.enum(["forward", "rollback"]),
  status: z.enum(["planned", "nothing_to_do", "refused", "unreachable"]),
  takesOver: z
    .boolean()
    .describe(
      "Nothing needs to be done on the server, but other revisions would be in force there: apply this plan too",
    ),
  planDigest: z.string().nullable(),
  configDigest: z.string().nullable(),
  baseGeneration: z.int().nullable(),
  steps: z.array(z.object({ id: z.string(), domain: z.string(), title: z.string(), budgetMs: z.int() })),
  nativeDiff: z.record(z.string(), z.string()),
  findings: z.array(findingSchema),
  probes: z.array(z.object({ id: z.string(), direction: z.string(), expected: z.string(), origin: z.string() })),
  touchesManagementPath: z.boolean(),
  trial: z
    .object({ reconnectSeconds: z.int(), soakSeconds: z.int(), windowSeconds: z.int(), confirm: z.string() })
    .nullable(),
  createdAt: z.string(),
});
export type Plan = z.infer<typeof planSchema>;

export const changeSummarySchema = z.object({
  id: z.string(),
  title: z.string(),
  reason: z.string(),
  state: z.enum(APPLY_STATES),
  author: z.string(),
  createdAt: z.string(),
  items: z.array(documentRefSchema.extend({ action: z.enum(["create", "edit", "delete"]) })),
  counts: z.record(z.string(), z.int()).describe("Applies by state"),
});
export type ChangeSummary = z.infer<typeof changeSummarySchema>;

export const changeDetailSchema = changeSummarySchema.extend({
  content: z.array(changeItemSchema),
  findings: z.array(findingSchema).describe("Of the documents alone, before any server was asked"),
  plans: z.array(planSchema).describe("The newest per server"),
  applies: z.array(applySummarySchema),
  rolloutIds: z.array(z.string()),
  digest: z.string().describe("Of what it holds: an approval is bound to it"),
  approvals: z.object({
    needed: z.int(),
    because: z.array(z.string()).describe("Why so many, in sentences"),
    given: z.array(z.object({ user: z.string(), at: z.string() })),
  }),
  actions: z.object({
    edit: z.string().nullable(),
    plan: z.string().nullable(),
    apply: z.string().nullable(),
    withdraw: z.string().nullable(),
    rollback: z.string().nullable(),
    approve: z.string().nullable(),
    withdrawApproval: z.string().nullable(),
    breakGlass: z.string().nullable(),
  }),
  etag: z.string(),
});
export type ChangeDetail = z.infer<typeof changeDetailSchema>;

/** Plans bind at apply: exactly what was reviewed is applied, or it is refused with what moved. */
/** Only stricter than the floor is accepted. It is part of the plan, because it is part of what the server promises to keep. */
export const planChangeSchema = z.strictObject({
  trial: z
    .strictObject({
      soakSeconds: z.int().min(0).optional(),
      windowSeconds: z.int().min(10).optional(),
      confirm: z.enum(["machine", "person"]).optional(),
    })
    .default({}),
});
export type PlanChange = z.input<typeof planChangeSchema>;

export const rollbackChangeSchema = z.strictObject({
  plans: z
    .array(z.strictObject({ planId: z.string(), planDigest: z.string() }))
    .min(1)
    .max(10_000),
  acknowledge: z
    .array(z.object({ server: z.string(), code: z.string(), path: z.string() }))
    .default([])
    .describe("Each finding of severity danger that a person has read and wants all the same"),
  overwriteDrift: z.boolean().default(false),
});
export const applyChangeSchema = rollbackChangeSchema.extend({
  breakGlass: z
    .string()
    .trim()
    .min(10, "Say in at least 10 characters why it cannot wait for its approvals")
    .max(500)
    .optional()
    .describe("Applies before the approvals are given, where the floor allows it: why it cannot wait"),
});
export type ApplyChange = z.input<typeof applyChangeSchema>;

export const rolloutSchema = z.object({
  id: z.string(),
  changeId: z.string(),
  kind: z.enum(["forward", "rollback"]),
  state: z.enum(["RUNNING", "PAUSED", "HALTED", "DONE"]),
  haltCode: z.string().nullable(),
  haltMessage: z.string().nullable(),
  waves: z.array(
    z.object({
      wave: z.int(),
      servers: z.array(z.object({ server: z.string(), apply: applySummarySchema.nullable() })),
    }),
  ),
  breakGlass: z
    .object({ reason: z.string(), needed: z.int(), given: z.int() })
    .nullable()
    .describe("It was begun before its approvals were given"),
  currentWave: z.int(),
  requestedBy: z.string(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  actions: z.object({ pause: z.string().nullable(), resume: z.string().nullable(), halt: z.string().nullable() }),
});
export type Rollout = z.infer<typeof rolloutSchema>;
