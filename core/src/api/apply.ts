import { z } from "zod";
import { APPLY_STATES, EFFECTS, PHASES, SERVER_IS } from "../apply/state.ts";

export const applySummarySchema = z.object({
  id: z.string(),
  changeId: z.string(),
  changeTitle: z.string(),
  rolloutId: z.string(),
  server: z.string(),
  wave: z.int(),
  state: z.enum(APPLY_STATES),
  phase: z.enum(PHASES).nullable(),
  effect: z.enum(EFFECTS).nullable(),
  serverIs: z.enum(SERVER_IS).describe("The second fact, always shown beside the state"),
  code: z.string().nullable(),
  message: z.string().nullable(),
  requestedBy: z.string(),
  requestedAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  deadlineAt: z.string().nullable().describe("When the server undoes by itself; count down to it"),
  lastStep: z.string().nullable(),
  waitingFor: z.string().nullable().describe("In words: what the open apply waits for now"),
  retryOf: z.string().nullable(),
  retryCount: z.int(),
  requestId: z.string().nullable(),
});
export type ApplySummary = z.infer<typeof applySummarySchema>;

/** Every button with its answer: null means allowed, otherwise the text is the reason why not. */
export const actionsSchema = z.object({
  confirm: z.string().nullable(),
  abort: z.string().nullable(),
  retry: z.string().nullable(),
  rollback: z.string().nullable(),
  forceClose: z.string().nullable(),
});

export const applyEventSchema = z.object({
  at: z.string(),
  fromState: z.string().nullable(),
  toState: z.string(),
  phase: z.string().nullable(),
  code: z.string().nullable(),
  message: z.string().nullable(),
  actor: z.string(),
  requestId: z.string().nullable(),
});

export const hostTransactionSchema = z.object({
  requestId: z.string(),
  kind: z.enum(["forward", "rollback"]),
  fence: z.int(),
  outcome: z.string().nullable(),
  outcomeCode: z.string().nullable(),
  receipt: z.unknown().nullable(),
  probes: z.array(
    z.object({
      id: z.string(),
      origin: z.string(),
      expected: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  traceId: z
    .string()
    .nullable()
    .describe("The trace that it belongs to: of its request, or of the house where that traces"),
  links: z
    .object({ logs: z.string().nullable(), trace: z.string().nullable() })
    .describe("Where its log and its trace are looked at; null where the house was told no address"),
});

export const applyDetailSchema = applySummarySchema.extend({
  planId: z.string(),
  revisions: z.array(z.object({ kind: z.string(), name: z.string(), revision: z.int() })),
  fence: z.int().nullable(),
  leaseOwner: z.string().nullable(),
  events: z.array(applyEventSchema),
  transactions: z.array(hostTransactionSchema),
  actions: actionsSchema,
});
export type ApplyDetail = z.infer<typeof applyDetailSchema>;
