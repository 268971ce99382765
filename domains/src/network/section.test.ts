import { expect, test } from "vitest";
import { interfaceSection } from "./section.ts";

const BOND = { mode: "active-backup", members: ["left", "right"] } as const;

/** What is wrong with an interface as it is written, in words. */
function complaints(section: unknown): readonly string[] {
  const parsed = interfaceSection.safeParse(section);
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
}

test("a bond looks at the cable or asks addresses, in a mode that can", () => {
  const arp = { interval: 1000, targets: "10.20.10.254" };
  expect(complaints({ bond: { ...BOND, arp } })).toEqual([]);
  expect(complaints({ bond: { ...BOND, arp, monitor: 100 } })).toEqual([expect.stringContaining("not both")]);
  expect(complaints({ bond: { ...BOND, mode: "802.3ad", arp } })).toEqual([
    expect.stringContaining("look at the cable"),
  ]);
  expect(complaints({ bond: { ...BOND, arp: { ...arp, targets: "2001:db8::1" } } })).toEqual([
    expect.stringContaining("ARP knows no other"),
  ]);
  const many = Array.from({ length: 17 }, (_, index) => `10.20.10.${index + 1}`);
  expect(complaints({ bond: { ...BOND, arp: { ...arp, targets: many } } })).toEqual([
    expect.stringContaining("16 at most"),
  ]);
});

test("what a DHCP server is told is for those that ask one", () => {
  expect(complaints({ ipv4: { method: "dhcp", clientId: "mac", tellHostname: false } })).toEqual([]);
  expect(complaints({ ipv4: { method: "none", clientId: "mac" } })).toEqual([expect.stringContaining("method: dhcp")]);
});
