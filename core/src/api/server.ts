import { z } from "zod";
import { WHEN_FLOOR_LOST } from "../floor/keep-floor.ts";
import { applySummarySchema } from "./apply.ts";

/** What an agent says of a domain when it connects. */
export const moduleSchema = z.object({
  domain: z.string(),
  available: z.boolean(),
  reason: z.string(),
  module: z.string(),
});

export const capabilitySchema = moduleSchema.extend({
  available: z.boolean().describe("Whether anything of this domain can be changed there"),
  reason: z.string().describe("Why not"),
  lacks: z
    .array(
      z.object({
        feature: z.string().describe("What does not work there; empty for all of the domain"),
        code: z.string().describe("Of the finding by which a plan refuses it"),
        reason: z.string(),
        remedy: z.string(),
      }),
    )
    .nullable()
    .default(null)
    .describe("What the server cannot do, as its module found at the last look; null where it has not said"),
});

export const floorStandingSchema = z.object({
  lost: z
    .array(z.object({ path: z.string(), expected: z.string(), found: z.string() }))
    .describe("What of the management path does not hold now; empty: it stands again"),
  whenLost: z.enum(WHEN_FLOOR_LOST).describe("What its floor lets the server do by itself"),
  repairs: z
    .array(z.object({ at: z.string(), lost: z.string(), failure: z.string() }))
    .describe("What it put back by itself since its boot and its confirmed state; failure empty: it helped"),
  gaveUp: z.boolean().describe("It was lost again and again, so the server leaves it as it is"),
});

export const serverSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  enrolment: z.enum(["expected", "pending", "enrolled", "released"]),
  connected: z.boolean(),
  lastSeenAt: z.string().nullable(),
  generation: z.int(),
  locked: z.object({ code: z.string(), reason: z.string() }).nullable(),
  paused: z.object({ until: z.string(), reason: z.string() }).nullable(),
  drift: z.array(z.string()),
  floor: z
    .array(floorStandingSchema.extend({ domain: z.string() }))
    .default([])
    .describe("Domains in which what lets management in was lost outside of a change: now, or put back since"),
  open: applySummarySchema.nullable().describe("The apply that is under way on this server"),
  lastSuccess: applySummarySchema.nullable(),
  lastFailure: applySummarySchema.nullable(),
});
export type ServerSummary = z.infer<typeof serverSummarySchema>;

export const serverDetailSchema = serverSummarySchema.extend({
  agentVersion: z.string().nullable(),
  bootId: z.string().nullable(),
  capabilities: z.array(capabilitySchema),
  lacksAt: z.string().nullable().default(null).describe("When the server was last asked what it cannot do"),
  facts: z.unknown().describe("{os, kernel, interfaces: [{name, mac, addresses}]} as the agent saw them"),
  policies: z.array(z.object({ kind: z.string(), name: z.string(), revision: z.int() })).describe("What is in force"),
  quarantined: z.array(
    z.object({ kind: z.string(), name: z.string(), revision: z.int(), code: z.string(), at: z.string() }),
  ),
  pendingKey: z
    .object({ fingerprint: z.string(), since: z.string() })
    .nullable()
    .describe("A key that waits for an operator's approval"),
  etag: z.string(),
});
export type ServerDetail = z.infer<typeof serverDetailSchema>;

export const createServerSchema = z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) });

export const approveKeySchema = z.object({
  fingerprint: z.string().min(8).max(200).describe("As the server itself shows it"),
});

export const enrolmentSchema = z.object({
  token: z.string().describe("Shown once; single use, one hour"),
  expiresAt: z.string(),
  command: z.string().describe("What to run on the server, complete"),
  caFingerprint: z.string(),
});

export const pauseSchema = z.object({
  seconds: z
    .int()
    .min(60)
    .max(30 * 86_400),
  reason: z.string().min(1).max(4000),
});
export const reasonSchema = z.object({ reason: z.string().min(1).max(4000) });

/** One item of the effective config with where it came from and what it beat. */
export const provenanceSchema = z.object({
  item: z.string(),
  from: z.object({
    document: z.string(),
    revision: z.int(),
    layer: z.string(),
    path: z.string(),
    line: z.int().optional(),
  }),
  beat: z.array(z.object({ document: z.string(), revision: z.int(), layer: z.string(), value: z.string() })),
});

export const effectiveConfigSchema = z.object({
  digest: z.string(),
  config: z.unknown(),
  provenance: z.array(provenanceSchema),
  native: z.record(z.string(), z.string()).describe("Native text by domain"),
});

/** What the server itself says now, beside what it should be. */
/** As a module tells it. */
export const foreignSchema = z.object({
  blocks: z.array(
    z.object({
      source: z.string().describe("The file that it stands in, or the command that told it"),
      title: z.string(),
      text: z
        .string()
        .nullable()
        .describe("As it stands there; null: it may hold a secret, and did not leave the server"),
    }),
  ),
  left: z.int().describe("Blocks that were left out because of their size"),
  unreadable: z.array(z.string()),
});

export const liveStateSchema = z.object({
  at: z.string(),
  generation: z.int(),
  bootId: z.string(),
  open: z.unknown().nullable(),
  domains: z.array(
    z.object({
      domain: z.string(),
      observed: z.unknown(),
      foreign: foreignSchema
        .nullable()
        .default(null)
        .describe("What others have set in this field, in its order; null: the agent does not say"),
      liveDigest: z.string(),
      confirmedDigest: z.string(),
      drift: z.boolean(),
      differences: z
        .array(z.object({ path: z.string(), expected: z.string(), found: z.string() }))
        .describe("Item by item, what was read back otherwise than confirmed"),
      floor: floorStandingSchema
        .nullable()
        .default(null)
        .describe("What lets management in was lost outside of a change: now, or put back since; null: it stands"),
      error: z.string(),
    }),
  ),
});
