import { type FirewallConfig, firewallConfigSchema } from "@holdfast/domains/firewall/model.ts";
import { type NetworkConfig, networkConfigSchema } from "@holdfast/domains/network/model.ts";
import { type SystemConfig, systemConfigSchema } from "@holdfast/domains/system/model.ts";
import { type VpnConfig, vpnConfigSchema } from "@holdfast/domains/vpn/model.ts";
import { z } from "zod";

/**
 * What modules report and what servers should have, read at the door. Of what is observed only what is shown is asked for: a module of another
 * version that tells more is understood, and one that tells something else is shown as it is (generic-live.tsx), never guessed at.
 */

const address = z.object({
  address: z.string(),
  source: z.enum(["set", "learnt", "link"]),
  leaseSeconds: z.number().nullable(),
});
const link = z.object({
  name: z.string(),
  mac: z.string().nullable(),
  kind: z.string().nullable(),
  up: z.boolean(),
  carrier: z.boolean(),
  mtu: z.number(),
  master: z.string().nullable(),
  setup: z.string(),
  operational: z.string(),
  addresses: z.array(address),
  dns: z.array(z.string()),
  search: z.array(z.string()),
  vlan: z.object({ id: z.number(), parent: z.string().nullable() }).nullable(),
  counters: z.object({ rxBytes: z.number(), rxErrors: z.number(), txBytes: z.number(), txErrors: z.number() }),
});
const route = z.object({
  family: z.number(),
  kind: z.string(),
  to: z.string(),
  table: z.number(),
  metric: z.number(),
  protocol: z.number(),
  hops: z.array(z.object({ via: z.string().nullable(), dev: z.string().nullable() })),
});
const rule = z.object({
  family: z.number(),
  priority: z.number(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  mark: z.object({ value: z.number(), mask: z.number() }).nullable(),
  in: z.string().nullable(),
  table: z.number().nullable(),
  protocol: z.number(),
});

export const networkSeenSchema = z.object({
  renderer: z.union([
    z.object({ state: z.enum(["running", "starting"]) }),
    z.object({ state: z.literal("foreign"), name: z.string(), why: z.string() }),
  ]),
  competing: z.array(z.string()),
  unreadable: z.string().nullable(),
  foreign: z.array(z.object({ path: z.string() })),
  links: z.array(link),
  routes: z.array(route),
  rules: z.array(rule),
  neighbours: z.array(
    z.object({ address: z.string(), link: z.string(), mac: z.string().nullable(), state: z.string() }),
  ),
  forwarding: z.object({ ipv4: z.boolean().nullable(), ipv6: z.boolean().nullable() }),
  resolved: z.boolean(),
});
export type NetworkSeen = z.infer<typeof networkSeenSchema>;
export type LinkSeen = z.infer<typeof link>;
export type RouteSeen = z.infer<typeof route>;

const entry = z.union([
  z.object({ type: z.literal("file"), text: z.string() }),
  z.object({ type: z.literal("link"), target: z.string() }),
  z.object({ type: z.enum(["absent", "other"]) }),
]);
const account = z.object({
  name: z.string(),
  uid: z.number(),
  shell: z.string(),
  groups: z.array(z.string()),
  comment: z.string(),
  expires: z.string().nullable(),
  keys: z.number().nullable(),
  password: z.enum(["set", "locked", "unknown"]),
});
const unit = z.object({ load: z.string(), active: z.string(), file: z.string() });

const timer = z.object({ next: z.string(), last: z.string().default(""), unit: z.string().default("") });

const restartReason = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("package"), name: z.string() }),
  z.object({ kind: z.literal("kernel"), runs: z.string(), next: z.string() }),
]);

export const systemSeenSchema = z.object({
  foundProblem: z.string().nullable(),
  sysctl: z.record(z.string(), z.string()),
  sysctlLines: z.array(z.object({ path: z.string(), line: z.number(), key: z.string(), value: z.string() })),
  hostname: z.string().nullable(),
  entries: z.record(z.string(), entry),
  accounts: z.array(account),
  today: z.number().nullable(),
  keyFiles: z.record(z.string(), z.string()),
  foreignAccounts: z.boolean(),
  sshd: z.record(z.string(), z.array(z.string())).nullable(),
  sshdProblem: z.string().nullable(),
  listening: z.array(z.number()),
  units: z.record(z.string(), unit).nullable(),
  booting: z.boolean(),
  /** Absent, each of them: the agent is older than the question. */
  apt: z.record(z.string(), z.array(z.string())).nullable().optional(),
  unattendedUpgrades: z.boolean().optional(),
  timers: z.record(z.string(), timer).optional(),
  taskRuns: z.record(z.string(), z.object({ result: z.string(), began: z.string(), status: z.number() })).optional(),
  aptProxies: z.object({ http: z.string().nullable(), https: z.string().nullable() }).nullable().optional(),
  qualityLines: z
    .array(z.object({ path: z.string(), line: z.number(), key: z.string(), value: z.string() }))
    .optional(),
  loginLines: z.record(z.string(), z.array(z.string())).nullable().optional(),
  limitLines: z
    .array(z.object({ path: z.string(), line: z.number(), domain: z.string(), item: z.string(), value: z.string() }))
    .optional(),
  restart: z.array(restartReason).optional(),
});
export type SystemSeen = z.infer<typeof systemSeenSchema>;
export type AccountSeen = z.infer<typeof account>;

const conn = z.object({
  name: z.string(),
  localAddresses: z.array(z.string()),
  remoteAddresses: z.array(z.string()),
  localNetworks: z.array(z.string()),
  remoteNetworks: z.array(z.string()),
});
const sa = z.object({
  name: z.string(),
  state: z.string(),
  localAddress: z.string(),
  remoteAddress: z.string(),
  establishedSeconds: z.number(),
  rekeySeconds: z.number(),
  /** Modules before it was told have none; nor do they have pools. */
  virtualAddresses: z.array(z.string()).default([]),
  children: z.array(
    z.object({ state: z.string(), bytesIn: z.number(), bytesOut: z.number(), rekeySeconds: z.number() }),
  ),
});

const pool = z.object({ name: z.string(), base: z.string(), size: z.number(), online: z.number() });

export const vpnSeenSchema = z.object({
  ipsec: z.object({
    charon: z.union([
      z.object({ state: z.literal("down"), why: z.string() }),
      z.object({
        state: z.literal("up"),
        version: z.string(),
        dataPlane: z.enum(["kernel", "libipsec", "none"]),
        conns: z.array(conn),
        sas: z.array(sa),
        pools: z.array(pool).default([]),
      }),
    ]),
    keyFiles: z.record(z.string(), z.string().nullable()),
  }),
  recordProblem: z.string().nullable(),
  blocks: z.array(z.string()),
  routesProblem: z.string().nullable(),
  forwarding: z.boolean(),
  lookupLost: z.array(z.union([z.literal(4), z.literal(6)])).default([]),
  links: z.array(z.object({ name: z.string(), isUp: z.boolean() })).default([]),
  into: z.array(z.object({ network: z.string(), link: z.string() })).default([]),
});
export type VpnSeen = z.infer<typeof vpnSeenSchema>;
export type SaSeen = z.infer<typeof sa>;
export type PoolSeen = z.infer<typeof pool>;

export const firewallSeenSchema = z.object({
  unreadable: z.string().nullable().optional(),
  foreignHooks: z
    .array(
      z.object({
        family: z.string(),
        table: z.string(),
        name: z.string(),
        hook: z.string(),
        policy: z.string(),
        priority: z.number(),
      }),
    )
    .default([]),
  foreignOwners: z.array(z.string()).default([]),
  legacyTables: z.array(z.string()).default([]),
  /** Modules before it was told have none. */
  counts: z.record(z.string(), z.object({ packets: z.number(), bytes: z.number() })).optional(),
});
export type FirewallSeen = z.infer<typeof firewallSeenSchema>;

/** What the firewall's counters have counted, whatever else is reported; nothing where the module does not say. */
export function firewallCountsOf(observed: unknown): NonNullable<FirewallSeen["counts"]> {
  const parsed = firewallSeenSchema.pick({ counts: true }).safeParse(observed);
  return parsed.data?.counts ?? {};
}

/** The parts of an effective config; null where the server has none of that domain, or this console does not understand it. */
export interface Desired {
  readonly network: NetworkConfig | null;
  readonly system: SystemConfig | null;
  readonly firewall: FirewallConfig | null;
  readonly vpn: VpnConfig | null;
}

const domainsSchema = z.object({ domains: z.record(z.string(), z.unknown()) });

export function desiredOf(config: unknown): Desired {
  const whole = domainsSchema.safeParse(config);
  const part = <Config>(name: string, schema: z.ZodType<Config>): Config | null => {
    const parsed = whole.success ? schema.safeParse(whole.data.domains[name]) : null;
    return parsed?.success === true ? parsed.data : null;
  };
  return {
    network: part("network", networkConfigSchema),
    system: part("system", systemConfigSchema),
    firewall: part("firewall", firewallConfigSchema),
    vpn: part("vpn", vpnConfigSchema),
  };
}
