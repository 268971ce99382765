import { type Packet, PACKET_EVENTS } from "@holdfast/core/api/packet-log.ts";

const ORIGIN = { document: "Policy/web-host", revision: 3, layer: "role" } as const;
const BY_DEFAULT = { ...ORIGIN, path: "firewall.inbound.default", line: 14 };

const PACKET = {
  direction: "inbound",
  outcome: "dropped",
  rule: "default",
  foreignTable: null,
  inInterface: "eth0",
  outInterface: null,
  protocol: "tcp",
  destination: "198.51.100.20",
  sourcePort: 51_514,
  icmpType: null,
  from: BY_DEFAULT,
  why: null,
} as const;

/** One of each kind that a page has to show, again and again. */
const SEEN: readonly Omit<Packet, "number" | "at">[] = [
  {
    ...PACKET,
    outcome: "allowed",
    rule: "web",
    source: "203.0.113.77",
    destinationPort: 443,
    from: { ...ORIGIN, path: "firewall.inbound.rules[0]", line: 17 },
  },
  { ...PACKET, source: "203.0.113.12", destinationPort: 8080 },
  {
    ...PACKET,
    outcome: "allowed",
    rule: "metrics",
    source: "203.0.113.40",
    destinationPort: 9100,
    from: { ...ORIGIN, path: "firewall.inbound.rules[2]", line: 25 },
    why: "OPS-812",
  },
  {
    ...PACKET,
    rule: "ssh.limited",
    source: "192.0.2.200",
    destinationPort: 22,
    from: { ...ORIGIN, path: "firewall.inbound.rules[1]", line: 21 },
  },
  { ...PACKET, rule: "web", foreignTable: "ip docker", source: "203.0.113.90", destinationPort: 443, from: null },
  {
    ...PACKET,
    rule: "locked.invalid",
    source: "2001:db8:77::1f",
    destination: "2001:db8:20::20",
    destinationPort: 443,
    from: null,
  },
  {
    ...PACKET,
    direction: "outbound",
    outcome: "would_drop",
    inInterface: null,
    outInterface: "eth0",
    protocol: "udp",
    source: "198.51.100.20",
    destination: "192.0.2.53",
    destinationPort: 53,
  },
  {
    ...PACKET,
    outcome: "rejected",
    protocol: "icmpv6",
    sourcePort: null,
    destinationPort: null,
    icmpType: 143,
    rule: null,
    source: "fe80::1",
    destination: "ff02::16",
    from: null,
  },
];

/** The stream's text: all of them at once. */
export function packetsText(nowMs: number): string {
  const packets = SEEN.map((one, index) => ({
    ...one,
    number: index + 1,
    at: new Date(nowMs - (SEEN.length - index) * 700).toISOString(),
  }));
  const data = PACKET_EVENTS.packets.parse({ packets, missed: 0, sampled: false });
  return `event: packets\ndata: ${JSON.stringify(data)}\n\n`;
}
