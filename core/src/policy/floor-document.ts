import { z } from "zod";
import type { StepUpSettings } from "../access/step-up.ts";
import type { ApprovalRule } from "../apply/approvals.ts";
import { ok } from "../base/result.ts";
import { DOMAINS } from "../domain.ts";
import { WHEN_FLOOR_LOST, type WhenFloorLost } from "../floor/keep-floor.ts";
import { addressSetFromText } from "../net/address-set.ts";
import { API_VERSION } from "./document.ts";
import { parseDuration } from "./duration.ts";
import { type Selector, selectorSchema } from "./selector.ts";
import {
  checkedText,
  documentNameText,
  durationText,
  itemNameText,
  oneOrList,
  portNumber,
  proseText,
} from "./text-schema.ts";

export interface FloorBody {
  readonly description?: string;
  readonly selector: Selector;
  readonly management: readonly {
    readonly name: string;
    readonly networks: readonly string[];
    readonly tcpPorts: readonly number[];
  }[];
  /** What this floor says; seconds. What it does not say is left to the other floors and the defaults. */
  readonly trial: {
    readonly reconnectSeconds?: number;
    readonly soakSeconds?: number;
    readonly windowSeconds?: number;
    readonly confirm?: "machine" | "person";
  };
  readonly approvals?: number;
  /** Who applies, rolls back or approves has shown a second factor lately. */
  readonly stepUp?: StepUpSettings;
  /** More approvals, where a change is risky. */
  readonly approvalsWhen: readonly ApprovalRule[];
  /** Whether an apply may go before its approvals, with a reason and an alarm. */
  readonly breakGlass?: "allowed" | "refused";
  /** What the server does by itself when the floor is lost outside of a change. */
  readonly whenLost?: WhenFloorLost;
  readonly waves: {
    readonly canary?: number;
    readonly percent?: readonly number[];
    readonly pauseSeconds?: number;
    readonly atOnce?: number;
  };
}

/** Literal on purpose: what keeps people in must not depend on a group that somebody edits. */
const managementNetworkText = checkedText((text) => (text === "any" ? ok(text) : addressSetFromText(text)), {
  description: "A literal network, address or range, or any.",
  examples: ["203.0.113.0/26"],
});

const seconds = durationText.transform((text, context): number => {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: "custom", message: parsed.error });
  return z.NEVER;
});

const managementSchema = z.strictObject({
  name: itemNameText,
  networks: oneOrList(managementNetworkText).meta({
    description: "Who may come in. Literal: the floor depends on nothing that a policy can change.",
  }),
  tcpPorts: oneOrList(portNumber).meta({ description: "To which TCP ports." }),
});

const trialSchema = z.strictObject({
  reconnect: seconds
    .optional()
    .meta({ description: "No new session of the agent in this time after a change: undo at once.", examples: ["15s"] }),
  soak: seconds
    .optional()
    .meta({ description: "Least time on trial where the management path is touched.", examples: ["15s"] }),
  window: seconds
    .optional()
    .meta({ description: "The whole trial; then the server undoes by itself.", examples: ["120s"] }),
  confirm: z
    .enum(["machine", "person"])
    .optional()
    .meta({ description: "Who confirms where the management path is touched." }),
});

/** Less and nobody is through with reading before it ends; more is a session's whole life. */
const STEP_UP_LEAST_SECONDS = 60;
const STEP_UP_MOST_SECONDS = 12 * 3_600;

const stepUpSchema = z.strictObject({
  within: seconds
    .refine((value) => value >= STEP_UP_LEAST_SECONDS && value <= STEP_UP_MOST_SECONDS, {
      error: "Between 1m and 12h: less ends while somebody reads, more is as long as a session.",
    })
    .meta({
      description: "Whoever applies, rolls back or approves has shown a passkey, or password and code, in this time.",
      examples: ["15m"],
    }),
  tokens: z
    .enum(["refused", "allowed"])
    .optional()
    .meta({ description: "API tokens cannot show anything again: refused, unless a pipeline must go on applying." }),
});

const wavesSchema = z.strictObject({
  canary: z.number().int().min(1).optional().meta({ description: "Servers in the first wave." }),
  percent: oneOrList(z.number().int().min(1).max(100))
    .optional()
    .meta({ description: "Growing share of the servers after the canary, for example [25, 100]." }),
  pause: seconds.optional().meta({ description: "Between waves.", examples: ["5m"] }),
  atOnce: z.number().int().min(1).optional().meta({ description: "Servers on trial at once." }),
});

/** Conditions of one row all hold together; of several rows that hold the most counts. */
const approvalsWhenSchema = z
  .strictObject({
    approvals: z
      .number()
      .int()
      .min(1)
      .max(10)
      .meta({ description: "How many people besides the author must approve then." }),
    servers: z
      .number()
      .int()
      .min(1)
      .optional()
      .meta({
        description: "The change is for at least so many of the servers that this floor selects.",
        examples: [10],
      }),
    managementPath: z
      .literal("touched")
      .optional()
      .meta({ description: "It touches the way by which one of them is managed." }),
    domains: oneOrList(z.enum(DOMAINS))
      .optional()
      .meta({ description: "It has steps in one of these domains.", examples: [["network", "vpn"]] }),
    failedWithin: seconds
      .optional()
      .meta({ description: "An apply has failed on one of them in this time.", examples: ["7d"] }),
  })
  .superRefine((row, context) => {
    const { approvals: _, ...conditions } = row;
    if (Object.values(conditions).some((one) => one !== undefined)) return;
    context.addIssue({
      code: "custom",
      message:
        "Say when: servers, managementPath, domains or failedWithin. For every change, write approvals beside it.",
    });
  });

export const floorSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Floor"),
    name: documentNameText,
    description: proseText("What the floor protects.").optional(),
    selector: selectorSchema,
    management: oneOrList(managementSchema)
      .optional()
      .meta({ description: "Who may always come in. No policy can close it." }),
    trial: trialSchema.optional(),
    approvals: z
      .number()
      .int()
      .min(0)
      .max(10)
      .optional()
      .meta({ description: "How many people besides the author must approve." }),
    stepUp: stepUpSchema.optional().meta({
      description: "Ask people again who they are before a server moves. Without it a signed-in session is enough.",
    }),
    approvalsWhen: oneOrList(approvalsWhenSchema)
      .optional()
      .meta({ description: "How many must approve where a change is risky. The most of all that holds counts." }),
    breakGlass: z.enum(["allowed", "refused"]).optional().meta({
      description:
        "Whether, in an emergency, a person may apply before the approvals are given: with a reason, an alarm, and the approvals afterwards. Refused where no floor allows it.",
    }),
    whenLost: z.enum(WHEN_FLOOR_LOST).optional().meta({
      description:
        "What a server does when what lets management in is lost outside of a change (another tool, a package, nft flush ruleset): alarm only tells, repair also puts back what was confirmed, three times in an hour at most. alarm where no floor says repair.",
    }),
    waves: wavesSchema.optional(),
  })
  .superRefine((floor, context) => {
    const percent = floor.waves?.percent ?? [];
    if (percent.some((value, index) => value <= (percent[index - 1] ?? 0))) {
      context.addIssue({
        code: "custom",
        path: ["waves", "percent"],
        message: "The shares must grow from wave to wave, like [25, 100].",
      });
    }
    const names = (floor.management ?? []).map((item) => item.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) < index)
        context.addIssue({
          code: "custom",
          path: ["management", index, "name"],
          message: `${name} stands twice; a name is used once.`,
        });
    }
  })
  .meta({
    title: "Floor",
    description: "What no policy can weaken: management networks, least trial, approvals, waves.",
  });
