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

/** Among a server's facts: whether the control plane that held its newest session runs on it. */
export const CONTROL_PLANE_HERE = "controlPlaneHere";

/** A server whose agent comes from inside this machine, and which has this machine's addresses: not merely one behind a proxy that stands here. */
export function isThisMachine(server: { readonly remoteAddress: string; readonly factsJson: string }): boolean {
  return isOwnAddress(server.remoteAddress) && addressesInFacts(readJson(server.factsJson)).some(isOwnAddress);
}

export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const HERE = z.object({ [CONTROL_PLANE_HERE]: z.literal(true) });

export function runsControlPlane(facts: unknown): boolean {
  return HERE.safeParse(facts).success;
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
