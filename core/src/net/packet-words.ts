import type { SeenPacket } from "./seen-packet.ts";

type Shown = Omit<SeenPacket, "atMs">;

/** ICMP and ICMPv6 types by number, as far as a service has a word for them (RFC 792, RFC 4443). */
const ICMP_WORDS: Readonly<Record<string, string>> = {
  "icmp 0": "icmp/echo-reply",
  "icmp 3": "icmp/unreachable",
  "icmp 8": "icmp/echo",
  "icmp 11": "icmp/time-exceeded",
  "icmp 12": "icmp/parameter-problem",
  "icmpv6 1": "icmp/unreachable",
  "icmpv6 3": "icmp/time-exceeded",
  "icmpv6 4": "icmp/parameter-problem",
  "icmpv6 128": "icmp/echo",
  "icmpv6 129": "icmp/echo-reply",
};
/** IANA protocol numbers of the services without ports. */
const PROTOCOL_WORDS: Readonly<Record<string, string>> = {
  "47": "gre",
  "50": "esp",
  "51": "ah",
  "89": "ospf",
  "112": "vrrp",
};

/** What the packet is for in the words of a policy (`tcp/443`, `icmp/echo`, `esp`); null where a policy has no word for it. */
export function serviceOfPacket({ protocol, destinationPort, icmpType }: Shown): string | null {
  if (protocol === "tcp" || protocol === "udp")
    return destinationPort === null ? null : `${protocol}/${destinationPort}`;
  if (icmpType !== null) return ICMP_WORDS[`${protocol} ${icmpType}`] ?? null;
  return PROTOCOL_WORDS[protocol] ?? null;
}

/** The same for people, where a policy has no word too. */
export function packetLabel(packet: Shown): string {
  const { protocol, icmpType } = packet;
  return serviceOfPacket(packet) ?? (icmpType === null ? `protocol ${protocol}` : `${protocol} type ${icmpType}`);
}

/**
 * Whether a packet is what somebody types: every word must fit, and none after an exclamation mark. A number is a port, whole; anything else
 * stands somewhere in the outcome, direction, rule, service, addresses, interfaces or the other firewall's table.
 */
export function fitsPacket(packet: Shown, typed: string): boolean {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = [
    packet.outcome,
    packet.direction,
    packet.rule,
    packetLabel(packet),
    packet.source,
    packet.destination,
    packet.inInterface,
    packet.outInterface,
    packet.foreignTable,
  ].flatMap((text) => (text === null ? [] : [text.toLowerCase()]));
  const has = (word: string): boolean =>
    /^\d+$/.test(word)
      ? packet.sourcePort === Number(word) || packet.destinationPort === Number(word)
      : texts.some((text) => text.includes(word));
  return words.every((word) => (word.startsWith("!") ? word === "!" || !has(word.slice(1)) : has(word)));
}
