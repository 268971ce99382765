import fc from "fast-check";
import type { InterfaceConfig, NetworkConfig, RouteConfig, RuleConfig } from "../src/network/model.ts";
import { MACS } from "./network-server.ts";

/** Network configs over a small world: three cards, a bridge, a VLAN and a bond, two families, three tables. Each is one that validates. */

const NOTHING = { method: "none" as const, addresses: [], gateways: [], use: [] };
const bool = fc.boolean();
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });
const tables = fc.constantFrom(254, 100, 200);

/** Each interface has a network of its own, so that no two overlap. */
const ipv4Of = (index: number): fc.Arbitrary<InterfaceConfig["ipv4"]> =>
  fc
    .record({
      hosts: fc.subarray([10, 11, 12], { minLength: 1 }),
      gateway: maybe(fc.record({ metric: maybe(fc.constantFrom(0, 50, 1024)) })),
    })
    .map(({ hosts, gateway }) => ({
      method: "static" as const,
      addresses: hosts.map((host) => `10.${index}.0.${host}/24`),
      gateways:
        gateway === undefined
          ? []
          : [
              {
                via: `10.${index}.0.1`,
                onLink: false,
                // One metric for each interface: two default routes of one metric are one route to the kernel.
                metric: (gateway.metric ?? 0) + index,
              },
            ],
      use: [],
    }));

const ipv6Of = (index: number): fc.Arbitrary<InterfaceConfig["ipv6"]> =>
  bool.map((has) => (has ? { method: "static", addresses: [`fd${index}0::10/64`], gateways: [], use: [] } : NOTHING));

const routesOf = (index: number): fc.Arbitrary<RouteConfig[]> =>
  fc
    .uniqueArray(
      fc.record({
        net: fc.integer({ min: 0, max: 3 }),
        is: maybe(fc.constantFrom("blackhole", "prohibit")),
        shared: maybe(fc.record({ weight: fc.constantFrom(1, 3, 256), acrossCards: bool })),
        table: tables,
      }),
      { maxLength: 3, selector: ({ net }) => net },
    )
    .map((routes) =>
      routes.map(({ net, is, shared, table }): RouteConfig => ({
        to: `10.${100 + index * 10 + net}.0.0/16`,
        table,
        onLink: false,
        ...(is !== undefined
          ? { is }
          : shared === undefined
            ? { via: `10.${index}.0.254` }
            : {
                ways: [
                  { via: `10.${index}.0.254`, weight: shared.weight },
                  // Every config has the second card.
                  shared.acrossCards && index !== 1
                    ? { via: "10.1.0.253", by: "card1", weight: 2 }
                    : { via: `10.${index}.0.253`, weight: 2 },
                ],
              }),
      })),
    );

const rulesOf = (index: number): fc.Arbitrary<RuleConfig[]> =>
  fc
    .uniqueArray(
      fc.record({
        number: fc.integer({ min: 0, max: 3 }),
        kind: fc.constantFrom("from", "to", "mark", "in"),
        table: tables,
      }),
      { maxLength: 3, selector: ({ number }) => number },
    )
    .map((rules) =>
      rules.map(({ number, kind, table }): RuleConfig => ({
        priority: 1000 + index * 10 + number,
        table,
        ...(kind === "from" ? { from: `10.${index}.0.0/24` } : {}),
        ...(kind === "to" ? { to: `fd${number}0::/64` } : {}),
        ...(kind === "mark" ? { mark: { value: 16 + number, mask: 255 } } : {}),
        ...(kind === "in" ? { in: "card1" } : {}),
      })),
    );

const interfaceOf = (index: number): fc.Arbitrary<Omit<InterfaceConfig, "bound">> =>
  fc
    .record({
      mtu: maybe(fc.constantFrom(1400, 1500, 9000)),
      ipv4: ipv4Of(index),
      ipv6: ipv6Of(index),
      routes: routesOf(index),
      rules: rulesOf(index),
      dns: fc.subarray(["9.9.9.9", "2620:fe::fe"]),
      search: fc.subarray(["example.com", "internal"]),
    })
    .map(({ mtu, ...rest }) => ({ enable: true, ...(mtu === undefined ? {} : { mtu }), ...rest }));

const bare = (bound: InterfaceConfig["bound"]): InterfaceConfig => ({
  bound,
  enable: true,
  ipv4: NOTHING,
  ipv6: NOTHING,
  routes: [],
  rules: [],
  dns: [],
  search: [],
});

const vlans = fc
  .record({ tagged: fc.subarray([20, 30, 40]), untagged: maybe(fc.constantFrom(1, 10)) })
  .map(({ tagged, untagged }) => ({
    tagged: tagged.map((first) => ({ first, last: first + 5 })),
    ...(untagged === undefined ? {} : { untagged }),
  }));

const bridge = fc
  .record({
    stp: bool,
    priority: maybe(fc.constantFrom(1, 4096, 32_768)),
    forwardDelay: maybe(fc.constantFrom(2, 4, 15)),
    ageing: maybe(fc.constantFrom(60, 300)),
    multicastSnooping: maybe(bool),
    vlans: maybe(vlans),
  })
  .map((parts) => ({
    kind: "bridge" as const,
    members: ["card2"],
    stp: parts.stp,
    ...(parts.priority === undefined ? {} : { priority: parts.priority }),
    ...(parts.forwardDelay === undefined ? {} : { forwardDelay: parts.forwardDelay }),
    ...(parts.ageing === undefined ? {} : { ageing: parts.ageing }),
    ...(parts.multicastSnooping === undefined ? {} : { multicastSnooping: parts.multicastSnooping }),
    ...(parts.vlans === undefined ? {} : { vlans: parts.vlans }),
  }));

export const networkConfig: fc.Arbitrary<NetworkConfig> = fc
  .record({
    // Every config has the second card: rules speak of it.
    card0: maybe(interfaceOf(0)),
    card1: interfaceOf(1),
    byMac: bool,
    lan: maybe(fc.tuple(bridge, interfaceOf(2), maybe(fc.constantFrom(4, 100)), vlans)),
    staff: maybe(interfaceOf(3)),
    ipv4: maybe(bool),
    ipv6: maybe(bool),
  })
  .map(({ card0, card1, byMac, lan, staff, ipv4, ipv6 }) => {
    const bound = (index: number): InterfaceConfig["bound"] =>
      byMac ? { mac: MACS[index] ?? "" } : { name: `eth${index}` };
    const interfaces: Record<string, InterfaceConfig> = { card1: { bound: bound(1), ...card1 } };
    if (card0 !== undefined) interfaces["card0"] = { bound: bound(0), ...card0 };
    if (lan !== undefined) {
      const [device, parts, cost, ofPort] = lan;
      const port = {
        ...(cost === undefined ? {} : { cost }),
        ...(device.vlans === undefined ? {} : { vlans: ofPort }),
      };
      interfaces["card2"] = { ...bare(bound(2)), ...(Object.keys(port).length === 0 ? {} : { port }) };
      interfaces["lan"] = { bound: { name: "lan0" }, device, ...parts };
    }
    if (staff !== undefined)
      interfaces["staff"] = { bound: { name: "staff" }, device: { kind: "vlan", id: 10, parent: "card1" }, ...staff };
    return {
      reachedAt: [],
      forwarding: { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) },
      interfaces,
    };
  });
