import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { z } from "zod";

/** Whether a connection to this address, or from it, stays inside the machine on which this runs: it proves nothing about any wire. */
export function isOwnAddress(address: string): boolean {
  return isLoopback(address) || machineAddresses().includes(plainAddress(address));
}

export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || plain === "localhost" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/** IPv4 also where a socket of both families names it. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address));
}

const FACTS = z.object({ interfaces: z.array(z.object({ addresses: z.array(z.string()).default([]) })).default([]) });

/** Addresses of a server that others can dial, as its facts say them: without prefix length, loopback and link-local. */
export function addressesInFacts(facts: unknown): readonly string[] {
  const read = FACTS.safeParse(facts);
  if (!read.success) return [];
  const addresses = read.data.interfaces.flatMap((each) => each.addresses).map((each) => each.split("/")[0] ?? "");
  return addresses.filter((each) => isIP(each) !== 0 && !isLoopback(each) && !/^fe[89ab]/i.test(each));
}
