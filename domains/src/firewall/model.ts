import { z } from "zod";
import { VERBS } from "./section.ts";

/**
 * The firewall part of an effective config: everything is concrete. Addresses are canonical texts of core's AddressSet, services of core's
 * Service, times are seconds since 1970. Only interface roles stay names, because only the server knows its hardware; `interfaces` says how
 * to find them there. What is absent is not ours.
 */

const addresses = z.array(z.string());
const rateSchema = z.strictObject({ count: z.int().positive(), per: z.enum(["second", "minute", "hour", "day"]) });

/** One alternative of `from` or `to`; every stated part must hold, and `{}` is anybody. At most one of `addresses` and `set`. */
const peerSchema = z.strictObject({
  /** `zone:NAME` or `interface:ROLE`. */
  interfaces: z.string().optional(),
  addresses: addresses.optional(),
  /** A key of `sets`. */
  set: z.string().optional(),
});

const limitSchema = z.strictObject({ rate: rateSchema, per: z.enum(["source", "rule"]), burst: z.int().positive() });

const ruleSchema = z.strictObject({
  name: z.string(),
  verb: z.enum(VERBS),
  services: z.array(z.string()),
  from: z.array(peerSchema),
  to: z.array(peerSchema),
  limit: limitSchema.optional(),
  log: rateSchema.optional(),
  expires: z.int().optional(),
});

const hookShape = { default: z.enum(VERBS), log: rateSchema.optional(), rules: z.array(ruleSchema) };
const hookSchema = z.strictObject(hookShape);
const forwardSchema = z.strictObject({ ...hookShape, mssClamp: z.union([z.literal("path"), z.int()]).optional() });

const masqueradeSchema = z.strictObject({
  name: z.string(),
  from: z.array(peerSchema),
  to: z.array(peerSchema),
  as: z.string().optional(),
});

const publishSchema = z.strictObject({
  name: z.string(),
  service: z.string(),
  /** Interfaces whose own addresses carry the service, or literal addresses. */
  at: z.strictObject({ interfaces: z.array(z.string()), addresses }),
  to: z.string(),
  port: z.int().optional(),
  from: z.array(peerSchema),
  hairpin: z.array(z.string()),
  log: rateSchema.optional(),
});

const needSchema = z.union([
  z.strictObject({
    kind: z.enum(["dhcp_client", "dhcp_server"]),
    interface: z.string(),
    family: z.literal([4, 6]),
    cause: z.string(),
  }),
  z.strictObject({ kind: z.enum(["ike", "esp"]), peer: z.string().nullable(), cause: z.string() }),
]);

export const firewallConfigSchema = z.strictObject({
  mode: z.enum(["enforce", "observe"]),
  floor: z.strictObject({
    inbound: z.array(z.strictObject({ name: z.string(), networks: addresses, tcpPorts: z.array(z.int()) })),
    controlPlane: z.array(z.strictObject({ address: z.string(), port: z.int() })),
  }),
  /** Role to what it is bound to, for every role that a zone, a rule or a need names. */
  interfaces: z.record(
    z.string(),
    z.union([z.strictObject({ mac: z.string() }), z.strictObject({ name: z.string() })]),
  ),
  zones: z.record(z.string(), z.array(z.string())),
  /** Addresses that rules share by name, so that a change of members changes no rule. */
  sets: z.record(z.string(), addresses),
  inbound: hookSchema.optional(),
  forward: forwardSchema.optional(),
  outbound: hookSchema.optional(),
  nat: z.strictObject({ masquerade: z.array(masqueradeSchema), publish: z.array(publishSchema) }).optional(),
  needs: z.array(needSchema),
});

export type FirewallConfig = z.infer<typeof firewallConfigSchema>;
export type Rate = z.infer<typeof rateSchema>;
export type Limit = z.infer<typeof limitSchema>;
export type Peer = z.infer<typeof peerSchema>;
export type Rule = z.infer<typeof ruleSchema>;
export type Hook = z.infer<typeof forwardSchema>;
export type Masquerade = z.infer<typeof masqueradeSchema>;
export type Publish = z.infer<typeof publishSchema>;

export const HOOKS = ["inbound", "forward", "outbound"] as const;
export type HookName = (typeof HOOKS)[number];
