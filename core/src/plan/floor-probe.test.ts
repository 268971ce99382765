import { expect, test } from "vitest";
import { familyProbes, floorProbes } from "./floor-probe.ts";

const BOTH = [
  { address: "198.51.100.2", port: 7081 },
  { address: "2001:db8:c::2", port: 7081 },
];
const OFFICE = { networks: ["198.51.100.0/24", "2001:db8:c::/64"], tcpPorts: [2222, 22] };
const OWN = ["192.0.2.7", "192.0.2.8", "2001:db8:1::7"];
const ids = (probes: readonly { readonly id: string }[]): readonly string[] => probes.map(({ id }) => id);

test("each port of the floor by which the control plane may come is looked at once, wherever the agent came from", () => {
  const inbound = [
    OFFICE,
    { networks: ["203.0.113.0/24"], tcpPorts: [80] },
    { networks: ["0.0.0.0/0"], tcpPorts: [22] },
  ];
  expect(ids(floorProbes({ controlPlane: BOTH, inbound }))).toEqual(["floor tcp/22", "floor tcp/2222"]);
  expect(floorProbes({ controlPlane: [], inbound })).toEqual([]);
});

test("in both families it is looked at over both, at one address of each", () => {
  const found = familyProbes({ controlPlane: BOTH, inbound: [OFFICE] }, OWN);
  expect(ids(found)).toEqual([
    "floor tcp/22 at 192.0.2.7",
    "floor tcp/2222 at 192.0.2.7",
    "floor tcp/22 at 2001:db8:1::7",
    "floor tcp/2222 at 2001:db8:1::7",
  ]);
  expect(found[2]).toMatchObject({ direction: "inbound", address: "2001:db8:1::7", port: 22, expected: "open" });
});

test("what the floor promises to one family is not asked of the other", () => {
  const v4 = { networks: ["198.51.100.0/24"], tcpPorts: [22] };
  expect(ids(familyProbes({ controlPlane: BOTH, inbound: [v4] }, OWN))).toEqual(["floor tcp/22 at 192.0.2.7"]);
});

test("a control plane of one family, or a server that is to have no other, is asked nothing more", () => {
  expect(familyProbes({ controlPlane: BOTH.slice(0, 1), inbound: [OFFICE] }, OWN)).toEqual([]);
  expect(ids(familyProbes({ controlPlane: BOTH, inbound: [OFFICE] }, ["192.0.2.7"]))).toEqual([
    "floor tcp/22 at 192.0.2.7",
    "floor tcp/2222 at 192.0.2.7",
  ]);
});
