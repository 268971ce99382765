import { addressSetFromText, contains } from "../net/address-set.ts";
import { type Address, type Family, formatAddress, parseAddress } from "../net/address.ts";
import type { ManagementPath } from "./management-path.ts";
import type { Probe } from "./probe.ts";

/** One inbound probe for each port of the floor that the control plane itself may use: the way in must stay open. */
export function floorProbes(path: ManagementPath): readonly Probe[] {
  return portsFor(path, addressesOf(controlPlaneOf(path))).map((port) => wayIn(port, "self"));
}

/**
 * The way in over each family, where the control plane stands in both: `self` is dialled over one alone, that by which the agent came, and a
 * change that closes the other would be taken for a success. One address of each is enough.
 * @param own addresses that the server has before the change and is to have after it; a family without one is not looked at
 */
export function familyProbes(path: ManagementPath, own: readonly string[]): readonly Probe[] {
  const vantage = addressesOf(controlPlaneOf(path));
  const of = (family: Family): readonly Address[] => vantage.filter((one) => one.family === family);
  if (of(4).length === 0 || of(6).length === 0) return [];
  return ([4, 6] as const).flatMap((family) => {
    const target = addressesOf(own).find((one) => one.family === family);
    if (target === undefined) return [];
    return portsFor(path, of(family)).map((port) => wayIn(port, formatAddress(target)));
  });
}

function wayIn(port: number, address: string): Probe {
  return {
    id: `floor tcp/${port}${address === "self" ? "" : ` at ${address}`}`,
    direction: "inbound",
    protocol: "tcp",
    address,
    port,
    expected: "open",
    origin: "floor",
  };
}

/** To which of the floor's ports one of these may come. */
function portsFor({ inbound }: ManagementPath, vantage: readonly Address[]): readonly number[] {
  const ports = inbound
    .filter(({ networks }) => vantage.some((address) => networks.some((network) => isIn(address, network))))
    .flatMap(({ tcpPorts }) => tcpPorts);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function controlPlaneOf({ controlPlane }: ManagementPath): readonly string[] {
  return controlPlane.map(({ address }) => address);
}

function addressesOf(texts: readonly string[]): readonly Address[] {
  return texts.flatMap((text) => {
    const parsed = parseAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
}

function isIn(address: Address, network: string): boolean {
  const set = addressSetFromText(network);
  return set.ok && contains(set.value, address);
}
