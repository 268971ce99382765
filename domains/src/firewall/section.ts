import {
  addressReferenceText,
  expiresText,
  itemNameText,
  oneOrList,
  portNumber,
  proseText,
  rateText,
  serviceReferenceText,
  withoutList,
} from "@holdfast/core/policy/text-schema.ts";
import { z } from "zod";

/**
 * The firewall section as people write it. References (`office`, `role:db`, `zone:staff`) are still names here; compose.ts turns them into
 * the concrete config of model.ts.
 */

export const VERBS = ["allow", "reject", "drop"] as const;
export type Verb = (typeof VERBS)[number];

const services = oneOrList(serviceReferenceText);
const why = proseText("For people: a ticket or a reason.").optional();
const name = itemNameText.meta({
  description: "Unique in its section. It is the identity of the item: counters, history, findings and logs use it.",
});

const peer = z
  .union([
    addressReferenceText,
    z
      .strictObject({
        zone: itemNameText.optional().meta({ description: "Only packets of this zone." }),
        interface: itemNameText.optional().meta({ description: "Only packets of this interface, by its role." }),
        address: oneOrList(addressReferenceText).optional().meta({ description: "And only these addresses." }),
      })
      .refine(
        (value) => value.zone === undefined || value.interface === undefined,
        "Write zone or interface, not both.",
      )
      .refine((value) => Object.keys(value).length > 0, "An empty selector is refused; write any."),
  ])
  .meta({ description: "A reference, or a map whose parts must all hold.", examples: ["office"] });
const peers = oneOrList(peer);

const ruleSchema = z
  .strictObject({
    name,
    allow: services.optional().meta({ description: "Let these services through.", examples: ["tcp/443"] }),
    reject: services.optional().meta({ description: "Refuse these services and tell the sender.", examples: ["any"] }),
    drop: services.optional().meta({ description: "Discard these services silently.", examples: ["any"] }),
    from: peers.optional().meta({
      description: "Where the packet comes from. Written for inbound and forward; outbound is from this server.",
    }),
    to: peers
      .optional()
      .meta({ description: "Where it goes. Written for forward and outbound; inbound is to this server." }),
    limit: z
      .strictObject({
        rate: rateText,
        per: z.enum(["source", "rule"]).meta({
          description: "source: each source has its own allowance (an IPv6 /64 is one source); rule: one for all.",
        }),
        burst: z
          .int()
          .min(1)
          .max(65_535)
          .optional()
          .meta({ description: "How many may come at once. Default: the number in the rate." }),
      })
      .optional()
      .meta({
        description:
          "New connections above it are dropped and counted as NAME.limited; they do not fall through to a later rule.",
      }),
    log: rateText.optional().meta({ description: "Log what this rule decides, at most this often." }),
    expires: expiresText
      .optional()
      .meta({ description: "The rule stops matching by itself at this time.", examples: ["2026-12-05T18:00+09:00"] }),
    enabled: z.boolean().optional().meta({ description: "false keeps the rule in the text only." }),
    why,
  })
  .refine(
    (rule) => VERBS.filter((verb) => rule[verb] !== undefined).length === 1,
    "A rule has exactly one of allow, reject and drop.",
  )
  .refine((rule) => rule.limit === undefined || rule.allow !== undefined, {
    path: ["limit"],
    message: "A limit belongs to an allow rule.",
  });

/** Names are identities: two of a kind in one section would share their counters and hide each other. */
function uniqueNames(
  lists: Readonly<Record<string, readonly { readonly name: string }[] | undefined>>,
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [key, list] of Object.entries(lists)) {
    for (const [index, item] of (list ?? []).entries()) {
      if (seen.has(item.name))
        context.addIssue({
          code: "custom",
          path: [key, index, "name"],
          message: `The name ${item.name} stands twice in this section; give each item its own.`,
        });
      seen.add(item.name);
    }
  }
}

const rules = z.array(ruleSchema).optional();
const hookFields = {
  default: z.enum(VERBS).optional().meta({ description: "What happens to a packet that no rule matches." }),
  log: rateText.optional().meta({ description: "Log what the default drops or rejects, at most this often." }),
  first: rules.meta({ description: "Rules before those of narrower layers." }),
  rules: rules.meta({ description: "Rules in order; the first match ends." }),
  without: withoutList.optional(),
};
const uniqueRules = (
  value: { first?: z.output<typeof rules>; rules?: z.output<typeof rules> },
  context: z.core.$RefinementCtx,
): void => uniqueNames({ first: value.first, rules: value.rules }, context);
const hook = z.strictObject(hookFields).superRefine(uniqueRules);
const forwardHook = z
  .strictObject({
    ...hookFields,
    mssClamp: z
      .union([z.literal("path"), z.int().min(536).max(65_495)])
      .optional()
      .meta({
        description:
          "Lower the segment size that new TCP connections announce: to what the path can carry, or to this many bytes.",
      }),
  })
  .superRefine(uniqueRules);

const masquerade = z.strictObject({
  name,
  from: peers.meta({ description: "Whose packets are translated." }),
  to: peers.meta({ description: "On the way to where." }),
  as: addressReferenceText
    .optional()
    .meta({ description: "The one address to use. Default: that of the interface the packet leaves by (IPv4)." }),
  why,
});

const publish = z.strictObject({
  name,
  service: serviceReferenceText.meta({
    description: "The service as the outside sees it: TCP or UDP ports.",
    examples: ["tcp/443"],
  }),
  at: oneOrList(addressReferenceText).meta({
    description: "zone:NAME for whatever addresses this server has there, or literal addresses.",
  }),
  to: addressReferenceText.meta({ description: "The one address that serves it.", examples: ["10.20.10.5"] }),
  port: portNumber.optional().meta({ description: "The port there. Default: the same port." }),
  from: peers.meta({ description: "Who may use it." }),
  hairpin: oneOrList(addressReferenceText)
    .optional()
    .meta({ description: "Zones inside that may use the outside address too.", examples: ["zone:staff"] }),
  log: rateText.optional().meta({ description: "Log new connections, at most this often." }),
  why,
});

export const firewallSectionSchema = z
  .strictObject({
    mode: z
      .enum(["enforce", "observe"])
      .optional()
      .meta({ description: "observe counts and logs what would be dropped, and drops nothing." }),
    zones: z
      .record(itemNameText, oneOrList(itemNameText))
      .optional()
      .meta({ description: "Zone name to interface roles. An interface is in one zone at most." }),
    inbound: hook.optional().meta({ description: "To this server. Absent: not ours, untouched." }),
    forward: forwardHook.optional().meta({ description: "Through this server. Absent: not ours, untouched." }),
    outbound: hook.optional().meta({ description: "From this server. Absent: not ours, untouched." }),
    nat: z
      .strictObject({
        masquerade: z
          .array(masquerade)
          .optional()
          .meta({ description: "Sources that leave under an address of this server." }),
        publish: z.array(publish).optional().meta({
          description: "Services of inner servers under an address of this one, each with its own forward rule.",
        }),
        without: z
          .strictObject({ masquerade: withoutList.optional(), publish: withoutList.optional() })
          .optional()
          .meta({ description: "Items of wider layers that shall not hold here." }),
      })
      .superRefine((value, context) => {
        uniqueNames({ masquerade: value.masquerade }, context);
        uniqueNames({ publish: value.publish }, context);
      })
      .optional()
      .meta({ description: "Address translation." }),
  })
  .meta({
    description: "Packet filter and address translation. It owns the nftables table inet holdfast and nothing else.",
  });

export type FirewallSection = z.output<typeof firewallSectionSchema>;
export type HookSection = z.output<typeof forwardHook>;
export type SectionRule = z.output<typeof ruleSchema>;
export type SectionPeer = z.output<typeof peer>;
export type SectionMasquerade = z.output<typeof masquerade>;
export type SectionPublish = z.output<typeof publish>;
