import { z } from "zod";
import { BOND_MODES, CLIENT_IDS, DEAD_ENDS, HASH_POLICIES, LEARNT } from "./section.ts";

/**
 * The network part of an effective config: everything is concrete and in one form. Addresses and networks are canonical texts. Only roles stay
 * names, because only the server knows its hardware.
 */

const int = z.int().min(0);
const gateway = z.strictObject({ via: z.string(), metric: int.optional(), onLink: z.boolean() });
const family = {
  /** Canonical `ADDRESS/PREFIX`, in the order in which they were written: the first is what packets get as their source. */
  addresses: z.array(z.string()),
  gateways: z.array(gateway),
  /** Empty where nothing is learnt. */
  use: z.array(z.enum(LEARNT)),
  metric: int.optional(),
};

const way = z.strictObject({
  via: z.string(),
  /** A role; absent: the interface of the route itself. */
  by: z.string().optional(),
  weight: z.int().min(1).max(256),
});

const route = z.strictObject({
  /** A canonical network; a default route is 0.0.0.0/0 or ::/0. */
  to: z.string(),
  via: z.string().optional(),
  /** Several next hops, in one order; absent where there is one or none. */
  ways: z.array(way).min(2).optional(),
  is: z.enum(DEAD_ENDS).optional(),
  metric: int.optional(),
  table: int,
  onLink: z.boolean(),
  source: z.string().optional(),
});

const rule = z.strictObject({
  priority: z.int().min(1).max(32_765),
  from: z.string().optional(),
  to: z.string().optional(),
  mark: z.strictObject({ value: int, mask: int }).optional(),
  /** A role. */
  in: z.string().optional(),
  table: int,
});

const vlanId = z.int().min(1).max(4094);
const vlans = z.strictObject({
  /** Merged and in order. */
  tagged: z.array(z.strictObject({ first: vlanId, last: vlanId })),
  untagged: vlanId.optional(),
});

const seconds = int.optional();
const bridge = z.strictObject({
  kind: z.literal("bridge"),
  members: z.array(z.string()),
  stp: z.boolean(),
  priority: z.int().min(1).max(65_535).optional(),
  forwardDelay: seconds,
  helloTime: seconds,
  maxAge: seconds,
  ageing: seconds,
  multicastSnooping: z.boolean().optional(),
  /** Of which the server itself is; absent: the bridge does not tell VLANs apart. */
  vlans: vlans.optional(),
});
const bond = z.strictObject({
  kind: z.literal("bond"),
  members: z.array(z.string()),
  mode: z.enum(BOND_MODES),
  primary: z.string().optional(),
  hashPolicy: z.enum(HASH_POLICIES).optional(),
  lacpRate: z.enum(["slow", "fast"]).optional(),
  monitorMs: int.optional(),
  arp: z.strictObject({ intervalMs: int, targets: z.array(z.string()) }).optional(),
  minLinks: int.optional(),
});
const vlan = z.strictObject({ kind: z.literal("vlan"), id: z.int().min(1).max(4094), parent: z.string() });

const interfaceSchema = z.strictObject({
  /** What a Server document binds the role to; the kernel's name where nothing does, or where we make the device. */
  bound: z.union([z.strictObject({ mac: z.string() }), z.strictObject({ name: z.string() })]),
  /** A device that we make; absent where the hardware or somebody else does. */
  device: z.discriminatedUnion("kind", [bridge, bond, vlan]).optional(),
  enable: z.boolean(),
  mtu: z.int().min(68).max(65_535).optional(),
  port: z
    .strictObject({
      cost: z.int().min(1).max(65_535).optional(),
      priority: z.int().min(0).max(63).optional(),
      isolated: z.boolean().optional(),
      vlans: vlans.optional(),
    })
    .optional(),
  ipv4: z.strictObject({
    method: z.enum(["static", "dhcp", "none"]),
    ...family,
    /** Only with dhcp; absent: networkd's own default. */
    clientId: z.enum(CLIENT_IDS).optional(),
    tellHostname: z.boolean().optional(),
  }),
  ipv6: z.strictObject({ method: z.enum(["static", "ra", "dhcp", "none"]), ...family }),
  routes: z.array(route),
  rules: z.array(rule),
  dns: z.array(z.string()),
  search: z.array(z.string()),
  dhcpServer: z
    .strictObject({ first: int, last: int, leaseSeconds: int, dns: z.array(z.string()), gateway: z.boolean() })
    .optional(),
});

export const networkConfigSchema = z.strictObject({
  /** Where the Server document says that the server is reached; empty where it says nothing. */
  reachedAt: z.array(z.string()),
  forwarding: z.strictObject({ ipv4: z.boolean().optional(), ipv6: z.boolean().optional() }),
  interfaces: z.record(z.string(), interfaceSchema),
});

export type NetworkConfig = z.infer<typeof networkConfigSchema>;
export type InterfaceConfig = z.infer<typeof interfaceSchema>;
export type Device = NonNullable<InterfaceConfig["device"]>;
export type BridgeDevice = z.infer<typeof bridge>;
export type BondDevice = z.infer<typeof bond>;
export type RouteConfig = z.infer<typeof route>;
export type BridgeVlans = z.infer<typeof vlans>;
export type WayConfig = z.infer<typeof way>;
export type RuleConfig = z.infer<typeof rule>;
export type Ipv4Config = InterfaceConfig["ipv4"];
export type Ipv6Config = InterfaceConfig["ipv6"];

/** The table that is asked when no rule says otherwise. */
export const MAIN_TABLE = 254;

/** Roles in the one order in which they are rendered, planned and shown. */
export function rolesOf(config: NetworkConfig): readonly string[] {
  return Object.keys(config.interfaces).toSorted();
}

/** The role of the bridge or bond that has this role as a member. */
export function masterOf(config: NetworkConfig, role: string): string | null {
  return (
    rolesOf(config).find((other) => {
      const device = config.interfaces[other]?.device;
      return device !== undefined && device.kind !== "vlan" && device.members.includes(role);
    }) ?? null
  );
}

/** Whether that is a bridge or a bond. */
export function masterKindOf(config: NetworkConfig, role: string): "bridge" | "bond" | undefined {
  const master = masterOf(config, role);
  const kind = master === null ? undefined : config.interfaces[master]?.device?.kind;
  return kind === "vlan" ? undefined : kind;
}

/** Roles of the VLANs that stand on this role. */
export function vlansOn(config: NetworkConfig, role: string): readonly string[] {
  return rolesOf(config).filter((other) => {
    const device = config.interfaces[other]?.device;
    return device?.kind === "vlan" && device.parent === role;
  });
}
