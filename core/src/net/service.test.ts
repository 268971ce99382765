import fc from "fast-check";
import { expect, test } from "vitest";
import {
  areServicesWithin,
  canonicalServices,
  formatService,
  ICMP_TYPES,
  IP_PROTOCOLS,
  isServiceWithin,
  parseService,
  type Service,
  servicesOverlap,
} from "./service.ts";

const anyService: fc.Arbitrary<Service> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("tcp" as const, "udp" as const),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 4 }),
    )
    .map(([protocol, first, more]): Service => ({ protocol, ports: { first, last: first + more } })),
  fc.constantFrom(...ICMP_TYPES).map((type): Service => ({ protocol: "icmp", type })),
  fc.constantFrom(...IP_PROTOCOLS).map((protocol): Service => ({ protocol })),
  fc.constant<Service>({ protocol: "any" }),
);

/** Every packet of a small world that has ports 1 to 16. */
const PACKETS: readonly Service[] = [
  ...(["tcp", "udp"] as const).flatMap((protocol) =>
    Array.from({ length: 16 }, (_, port): Service => ({ protocol, ports: { first: port + 1, last: port + 1 } })),
  ),
  ...ICMP_TYPES.filter((type) => type !== "any").map((type): Service => ({ protocol: "icmp", type })),
  ...IP_PROTOCOLS.map((protocol): Service => ({ protocol })),
];

function packetsOf(services: readonly Service[]): readonly Service[] {
  return PACKETS.filter((packet) => services.some((service) => isServiceWithin(packet, service)));
}

test("a service is written as it was read", () => {
  fc.assert(
    fc.property(anyService, (service) => {
      expect(parseService(formatService(service))).toEqual({ ok: true, value: service });
    }),
    { numRuns: 200 },
  );
});

test("overlap means a packet in common", () => {
  fc.assert(
    fc.property(anyService, anyService, (a, b) => {
      const common = packetsOf([a]).filter((packet) => isServiceWithin(packet, b));
      expect(servicesOverlap(a, b)).toBe(common.length > 0);
      if (isServiceWithin(a, b)) expect(packetsOf([b])).toEqual(expect.arrayContaining([...packetsOf([a])]));
    }),
    { numRuns: 500 },
  );
});

test("the canonical list has the same packets, and does not depend on the order", () => {
  fc.assert(
    fc.property(fc.array(anyService, { maxLength: 6 }), (services) => {
      const canonical = canonicalServices(services);
      expect(packetsOf(canonical)).toEqual(packetsOf(services));
      expect(canonicalServices(services.toReversed())).toEqual(canonical);
      expect(areServicesWithin(services, canonical)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("ranges that touch are taken together", () => {
  const halves: readonly Service[] = [
    { protocol: "tcp", ports: { first: 1, last: 100 } },
    { protocol: "tcp", ports: { first: 101, last: 200 } },
  ];
  expect(areServicesWithin([{ protocol: "tcp", ports: { first: 50, last: 150 } }], halves)).toBe(true);
  expect(areServicesWithin([{ protocol: "tcp", ports: { first: 50, last: 201 } }], halves)).toBe(false);
});

test.each([
  ["443", "write tcp/443 or udp/443"],
  ["4000-4100", "write tcp/4000-4100"],
  ["tcp", "tcp/any for all"],
  ["tcp/0", "not a port"],
  ["tcp/443/x", "not a service"],
  ["icmp", "icmp/echo"],
  ["icmp/ping", "icmp/echo"],
  ["icmpv6/echo", "icmp/echo"],
  ["esp/50", "write esp"],
  ["any/any", "write any"],
  ["TCP/443", "not a service"],
  ["https", "not a service"],
  ["", "not a service"],
])("service %s is refused and the message says %s", (text, part) => {
  const parsed = parseService(text);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});
