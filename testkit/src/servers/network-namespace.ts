import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { must, run } from "./child.ts";
import { LabError } from "./lab-error.ts";

export function namespacePath(namespace: string): string {
  return `/run/netns/${namespace}`;
}

/** Runs a command in a network namespace; everything else of it is the machine's. */
export function inNamespace(namespace: string, argv: readonly string[]): readonly string[] {
  return ["nsenter", `--net=${namespacePath(namespace)}`, ...argv];
}

/** The very first `ip netns add` on a machine makes /run/netns a shared mount; two at once can both fail. */
const ADD_TRIES = 5;
const ADD_PAUSE_MS = 50;

export async function addNamespace(namespace: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await run(["ip", "netns", "add", namespace]);
    if (result.code === 0) break;
    await run(["ip", "netns", "delete", namespace]);
    if (attempt === ADD_TRIES) throw new LabError(`cannot add network namespace ${namespace}: ${result.stderr.trim()}`);
    await sleep(ADD_PAUSE_MS * attempt);
  }
  // A new namespace starts with what the machine has; a machine without IPv6 must not decide for the servers in it.
  await must(
    inNamespace(namespace, [
      "sysctl",
      "-q",
      "-e",
      "-w",
      "net.ipv6.conf.all.disable_ipv6=0",
      "net.ipv6.conf.default.disable_ipv6=0",
      "net.ipv6.conf.default.accept_dad=0",
      "net.ipv6.conf.default.accept_ra=0",
      "net.ipv4.ping_group_range=0 2147483647",
    ]),
  );
  await ipBatch(namespace, ["link set lo up"]);
}

export async function deleteNamespace(namespace: string): Promise<void> {
  await run(["ip", "netns", "delete", namespace]);
}

/** Several `ip` commands in one process, in order, stopping at the first that fails. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  const result = await run(["ip", "-n", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (result.code !== 0) throw new LabError(`in ${namespace}: ip: ${result.stderr.trim()}\nof:\n${lines.join("\n")}`);
}

export async function setForwarding(namespace: string): Promise<void> {
  await must(inNamespace(namespace, ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]));
}

/** Usable at once: without `nodad` an IPv6 address is tentative for a second. */
export function addressLine(interfaceName: string, address: string): string {
  return `address add ${address} dev ${interfaceName}${isIPv6(address.split("/")[0] ?? "") ? " nodad" : ""}`;
}
