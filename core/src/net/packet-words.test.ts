import { expect, test } from "vitest";
import { fitsPacket, packetLabel, serviceOfPacket } from "./packet-words.ts";

const PACKET = {
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  foreignTable: null,
  inInterface: "eth0",
  outInterface: null,
  protocol: "tcp",
  source: "203.0.113.9",
  destination: "192.0.2.10",
  sourcePort: 40_000,
  destinationPort: 443,
  icmpType: null,
} as const;

test.each([
  ["", true],
  ["drop", true],
  ["DROPPED tcp/443 eth0", true],
  ["443", true],
  ["40000", true],
  ["44", false],
  ["203.0.113", true],
  ["allowed", false],
  ["!allowed", true],
  ["!dropped", false],
  ["dropped !443", false],
  ["!", true],
])("%j", (typed, fits) => {
  expect(fitsPacket(PACKET, typed)).toBe(fits);
});

test("a packet is for a service of the policy's language, where it has a word", () => {
  const none = { ...PACKET, sourcePort: null, destinationPort: null };
  expect(serviceOfPacket(PACKET)).toBe("tcp/443");
  expect(serviceOfPacket({ ...none, protocol: "icmpv6", icmpType: 128 })).toBe("icmp/echo");
  expect(serviceOfPacket({ ...none, protocol: "50" })).toBe("esp");
  expect(serviceOfPacket({ ...none, protocol: "icmpv6", icmpType: 143 })).toBeNull();
  expect(packetLabel({ ...none, protocol: "icmpv6", icmpType: 143 })).toBe("icmpv6 type 143");
  expect(packetLabel({ ...none, protocol: "132" })).toBe("protocol 132");
});
