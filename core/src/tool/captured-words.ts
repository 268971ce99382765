import { formatAddress } from "../net/address.ts";
import { packetLabel } from "../net/packet-words.ts";
import { networkLayer, type Transport, transportOf } from "./headers-only.ts";
import type { CapturedPacket } from "./pcap.ts";

/** A captured packet as a person reads it. */
export interface CapturedLine {
  /** ISO 8601 in UTC, by the server's own clock. */
  readonly at: string;
  /** tcp/443, icmp/echo, esp, arp, or what its number is. */
  readonly what: string;
  /** With the port behind it where there is one; empty where its headers name none. */
  readonly source: string;
  readonly destination: string;
  /** SYN, ACK and so on; empty where there are none. */
  readonly flags: string;
  /** Bytes on the wire. */
  readonly length: number;
}

/** By bit, the lowest first (RFC 9293). */
const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"] as const;

/** IANA numbers of protocols that have a word here. */
const WORDS: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6" };

export function capturedLine(linkType: number, packet: CapturedPacket): CapturedLine {
  const { headers, length } = packet;
  const line = { at: timeOf(packet), source: "", destination: "", flags: "", length };
  const network = networkLayer(linkType, headers);
  if (network === null) return { ...line, what: `link ${linkType}` };
  const { type, at } = network;
  if (type === "other") return { ...line, what: "not IP" };
  if (type === "arp")
    return {
      ...line,
      what: (headers[at + 7] ?? 0) === 2 ? "arp reply" : "arp request",
      source: addressAt(headers, at + 14, 4),
      destination: addressAt(headers, at + 24, 4),
    };
  const size = type === "ipv4" ? 4 : 16;
  const source = addressAt(headers, at + (type === "ipv4" ? 12 : 8), size);
  const destination = addressAt(headers, at + (type === "ipv4" ? 16 : 24), size);
  const transport = transportOf(network, headers);
  if (transport === null || source === "" || destination === "")
    return { ...line, what: "cut short", source, destination };
  const seen = portsAndType(transport, headers);
  const protocol = WORDS[transport.protocol] ?? String(transport.protocol);
  // Whichever is the lower is what it is for: the other end's own port says nothing.
  const port = seen.ports === null ? null : Math.min(...seen.ports);
  const label = packetLabel({
    direction: "inbound",
    outcome: "allowed",
    rule: null,
    foreignTable: null,
    inInterface: null,
    outInterface: null,
    protocol,
    source,
    destination,
    sourcePort: seen.ports?.[0] ?? null,
    destinationPort: port,
    icmpType: seen.icmpType,
  });
  const isWithoutPorts = (protocol === "tcp" || protocol === "udp") && seen.ports === null;
  return {
    ...line,
    what: transport.at === null ? `${isWithoutPorts ? protocol : label} fragment` : label,
    source: withPort(source, seen.ports?.[0]),
    destination: withPort(destination, seen.ports?.[1]),
    flags: seen.flags,
  };
}

interface Seen {
  readonly ports: readonly [number, number] | null;
  readonly icmpType: number | null;
  readonly flags: string;
}

function portsAndType({ protocol, at }: Transport, bytes: Uint8Array): Seen {
  const nothing = { ports: null, icmpType: null, flags: "" };
  if (at === null || at + 8 > bytes.length) return nothing;
  if (protocol === 1 || protocol === 58) return { ...nothing, icmpType: bytes[at] ?? 0 };
  if (protocol !== 6 && protocol !== 17) return nothing;
  const port = (from: number): number => ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0);
  const bits = protocol === 6 ? (bytes[at + 13] ?? 0) : 0;
  return {
    ports: [port(at), port(at + 2)],
    icmpType: null,
    flags: FLAGS.filter((_, bit) => (bits & (1 << bit)) !== 0).join(" "),
  };
}

function addressAt(bytes: Uint8Array, at: number, size: 4 | 16): string {
  if (at + size > bytes.length) return "";
  const value = bytes.subarray(at, at + size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return formatAddress({ family: size === 4 ? 4 : 6, value });
}

function withPort(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function timeOf({ seconds, micros }: CapturedPacket): string {
  const at = new Date(seconds * 1000).toISOString();
  return at.replace("000Z", `${String(Math.min(micros, 999_999)).padStart(6, "0")}Z`);
}
