/**
 * Where the headers of a captured packet end. What a packet carries is nobody's business here, so it is cut off: on the server, before anything
 * leaves it, and once more by the control plane, which need not believe a server.
 */

/** How each link type begins, by its number in a pcap file (tcpdump.org/linktypes.html). */
export const ETHERNET = 1;
const RAW_IP = 101;
const LINUX_COOKED = 113;
const LINUX_COOKED_2 = 276;
/** The same by the kernel's own number, which some systems write. */
const RAW_IP_KERNEL = 12;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8];

/** Bytes of an IPv6 header; of an ARP packet for IPv4 over Ethernet, which is all header. */
const IPV6_BYTES = 40;
const ARP_BYTES = 28;

/** What the network layer of a packet is, and where it begins. Null: a link of which nothing is known, or a packet cut before. */
export interface NetworkLayer {
  readonly type: "ipv4" | "ipv6" | "arp" | "other";
  readonly at: number;
}

export function networkLayer(linkType: number, bytes: Uint8Array): NetworkLayer | null {
  switch (linkType) {
    case ETHERNET: {
      let at = 12;
      // One tag inside another is the most that is passed on.
      for (let tags = 0; tags < 2 && VLAN_TAGS.includes(word(bytes, at)); tags++) at += 4;
      return layer(word(bytes, at), at + 2, bytes);
    }
    case LINUX_COOKED:
      return layer(word(bytes, 14), 16, bytes);
    case LINUX_COOKED_2:
      return layer(word(bytes, 0), 20, bytes);
    case RAW_IP:
    case RAW_IP_KERNEL: {
      const version = (bytes[0] ?? 0) >> 4;
      return version === 4 ? { type: "ipv4", at: 0 } : version === 6 ? { type: "ipv6", at: 0 } : null;
    }
    default:
      return null;
  }
}

function layer(type: number, at: number, bytes: Uint8Array): NetworkLayer | null {
  if (at > bytes.length) return null;
  if (type === IPV4) return { type: "ipv4", at };
  if (type === IPV6) return { type: "ipv6", at };
  return { type: type === ARP ? "arp" : "other", at };
}

/** What stands above the network layer. `at` is null for what has no header there: a later fragment, or a packet cut before. */
export interface Transport {
  readonly protocol: number;
  readonly at: number | null;
}

export function transportOf({ type, at }: NetworkLayer, bytes: Uint8Array): Transport | null {
  if (type === "ipv4") {
    const length = ((bytes[at] ?? 0) & 0x0f) * 4;
    if (length < 20 || at + 20 > bytes.length) return null;
    const isLater = (word(bytes, at + 6) & 0x1fff) !== 0;
    return { protocol: bytes[at + 9] ?? 0, at: isLater ? null : at + length };
  }
  if (type !== "ipv6" || at + IPV6_BYTES > bytes.length) return null;
  let next = bytes[at + 6] ?? 0;
  let from = at + IPV6_BYTES;
  // Hop by hop, routing, destination options; a fragment's header stands among them. A chain that does not end has no transport.
  for (let headers = 0; headers < 8; headers++) {
    if (next !== 0 && next !== 43 && next !== 60 && next !== 44) return { protocol: next, at: from };
    if (from + 8 > bytes.length) return { protocol: next, at: null };
    if (next === 44 && (word(bytes, from + 2) & 0xfff8) !== 0) return { protocol: bytes[from] ?? 0, at: null };
    const length = next === 44 ? 8 : ((bytes[from + 1] ?? 0) + 1) * 8;
    next = bytes[from] ?? 0;
    from += length;
  }
  return { protocol: next, at: null };
}

/** Bytes of a transport's header where they are always as many. What is not here keeps none. */
const HEADER_BYTES: Readonly<Record<number, number>> = {
  2: 8, // IGMP
  17: 8, // UDP
  33: 12, // DCCP
  47: 4, // GRE
  50: 8, // ESP: which tunnel, and the number of the packet
  51: 12, // AH
  89: 24, // OSPF
  132: 12, // SCTP
};

/** How many bytes of a packet are headers. */
export function headerBytes(linkType: number, bytes: Uint8Array): number {
  const network = networkLayer(linkType, bytes);
  // A link that is not known: nobody can say where its header ends.
  if (network === null) return 0;
  return Math.min(endOfHeaders(network, bytes, 0), bytes.length);
}

function endOfHeaders(network: NetworkLayer, bytes: Uint8Array, quoted: number): number {
  if (network.type === "other") return network.at;
  if (network.type === "arp") return network.at + ARP_BYTES;
  const transport = transportOf(network, bytes);
  if (transport === null) return network.at + (network.type === "ipv6" ? IPV6_BYTES : 20);
  const { protocol, at } = transport;
  if (at === null) return network.at + (network.type === "ipv6" ? IPV6_BYTES + 8 : 20);
  if (protocol === 6) return at + Math.max(20, ((bytes[at + 12] ?? 0) >> 4) * 4);
  if (protocol === 1 || protocol === 58) return at + 8 + afterIcmp(network.type, at, bytes, quoted);
  return at + (HEADER_BYTES[protocol] ?? 0);
}

/** Errors quote the headers of the packet that they are about, and then what it carried; neighbours name an address. */
function afterIcmp(type: NetworkLayer["type"], at: number, bytes: Uint8Array, quoted: number): number {
  const kind = bytes[at] ?? 0;
  const isError = type === "ipv4" ? [3, 5, 11, 12].includes(kind) : kind >= 1 && kind <= 4;
  if (!isError) return type === "ipv6" && (kind === 135 || kind === 136) ? 16 : 0;
  const inner = at + 8;
  if (quoted > 0 || inner >= bytes.length) return 0;
  const version = (bytes[inner] ?? 0) >> 4;
  if (version !== 4 && version !== 6) return 0;
  return endOfHeaders({ type: version === 4 ? "ipv4" : "ipv6", at: inner }, bytes, quoted + 1) - inner;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
