import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/**
 * Where no receiver stands: metadata services of clouds answer on link-local addresses, and they hand out credentials. Loopback and private
 * addresses are allowed, those of carriers and overlay networks (100.64.0.0/10) too: the file that names them is the machine's own, and that is
 * where a mail gateway or an Alertmanager is. An IPv4 address inside an IPv6 one (::ffff:0:0/96) is judged as what it is by BlockList itself.
 */
const REFUSED = new BlockList();
for (const [network, prefix, family] of [
  ["0.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 128, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
  // Metadata services that stand elsewhere: each cloud has its own.
  ["fd00:ec2::", 32, "ipv6"],
  ["fd20:ce::", 32, "ipv6"],
  ["100.100.100.200", 32, "ipv4"],
  ["168.63.129.16", 32, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  // The IPv4 link-local range behind translators: NAT64, 6to4, and the oldest form of an embedded address.
  ["64:ff9b::a9fe:0", 112, "ipv6"],
  ["2002:a9fe::", 32, "ipv6"],
  ["::a9fe:0", 112, "ipv6"],
] as const)
  REFUSED.addSubnet(network, prefix, family);

/** Why this literal address is not sent to; null for a name, which is judged by what it resolves to, and for one that may be. */
export function whyAddressRefused(host: string): string | null {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(address);
  if (family === 0) return null;
  return REFUSED.check(address, family === 6 ? "ipv6" : "ipv4") ? `${address} is no address of a receiver` : null;
}

/** Resolves as usual and refuses at the moment of connecting, so that a name cannot be one thing when asked and another when used. */
export const guardedLookup: LookupFunction = (hostname, options: LookupOptions, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const allowed = (addresses ?? []).filter(({ address }) => whyAddressRefused(address) === null);
    const [first] = allowed;
    if (error !== null) callback(error, "");
    else if (first === undefined) callback(new Error(`${hostname} resolves to no address of a receiver`), "");
    else if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};
