import { expect, test } from "vitest";
import { fullSizeProbes, type Probe } from "./probe.ts";

const out = (address: string, more: Partial<Probe> = {}): Probe => ({
  id: address,
  direction: "outbound",
  protocol: "tcp",
  address,
  port: 443,
  expected: "open",
  origin: "Policy/a expect[0]",
  ...more,
});

test("full size goes once to each address that must be reached, of either family, and nowhere else", () => {
  const probes = [
    out("192.0.2.9"),
    out("192.0.2.9", { port: 80 }),
    out("192.0.2.10", { expected: "closed" }),
    out("192.0.2.11", { protocol: "icmp" }),
    out("self", { direction: "inbound" }),
  ];
  const found = fullSizeProbes(probes, [{ address: "2001:db8::1" }, { address: "192.0.2.9" }]);
  expect(found.map(({ id }) => id)).toEqual(["full size to 192.0.2.9", "full size to 2001:db8::1"]);
  expect(found[0]).toMatchObject({ protocol: "icmp", fullSize: true, expected: "open" });
  expect(found[0]).not.toHaveProperty("port");
});
