import { isIP } from "node:net";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseNetwork } from "@holdfast/core/net/network.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { readTextIfThere } from "./os/files.ts";

export const NO_MANAGEMENT_PATH: ManagementPath = { controlPlane: [], inbound: [] };

/** A management path from outside: a message, or the operator's file. */
export function readManagementPath(value: unknown): Result<ManagementPath, string> {
  if (!isMap(value)) return err("is not an object");
  const { controlPlane, inbound } = value;
  if (!Array.isArray(controlPlane) || !Array.isArray(inbound))
    return err("needs the lists `controlPlane` and `inbound`");
  const peers: { address: string; port: number }[] = [];
  for (const [index, one] of controlPlane.entries()) {
    if (!isMap(one) || typeof one["address"] !== "string" || isIP(one["address"]) === 0 || !isPort(one["port"])) {
      return err(`controlPlane[${index}] needs a literal \`address\` and a \`port\``);
    }
    peers.push({ address: one["address"], port: one["port"] });
  }
  const entries: { networks: string[]; tcpPorts: number[] }[] = [];
  for (const [index, one] of inbound.entries()) {
    if (!isMap(one)) return err(`inbound[${index}] is not an object`);
    const { networks, tcpPorts } = one;
    if (
      !Array.isArray(networks) ||
      !networks.every((network): network is string => typeof network === "string" && parseNetwork(network).ok)
    ) {
      return err(`inbound[${index}].networks must be networks such as 192.0.2.0/24`);
    }
    if (!Array.isArray(tcpPorts) || !tcpPorts.every(isPort))
      return err(`inbound[${index}].tcpPorts must be port numbers`);
    entries.push({ networks, tcpPorts });
  }
  return ok({ controlPlane: peers, inbound: entries });
}

/** The server's own file, which no control plane can weaken. No file is an empty path; a file that cannot be read is an error to act on. */
export function readLocalFloor(path: string): Result<ManagementPath, string> {
  const text = readTextIfThere(path);
  if (text === null) return ok(NO_MANAGEMENT_PATH);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(`${path} is not JSON`);
  }
  const read = readManagementPath(value);
  return read.ok ? read : err(`${path}: ${read.error}`);
}

/** Both together: what either protects is protected. */
export function unitePaths(a: ManagementPath, b: ManagementPath): ManagementPath {
  return {
    controlPlane: distinct([...a.controlPlane, ...b.controlPlane]),
    inbound: distinct([...a.inbound, ...b.inbound]),
  };
}

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
