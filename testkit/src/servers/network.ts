import { createHash } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { must } from "./child.ts";
import { LabError } from "./lab-error.ts";
import { checkInterface } from "./names.ts";
import { addNamespace, deleteNamespace, ipBatch } from "./network-namespace.ts";

export interface NetworkSpec {
  readonly name: string;
  /** For example "10.20.0.0/24": the addresses of nodes are checked against it and take its prefix length. */
  readonly subnet4?: string;
  readonly subnet6?: string;
}

/** unplugged: the link is down on both sides. silent: the link looks up and carries nothing. */
export type Cable = "plugged" | "unplugged" | "silent";

/** A bridge in a namespace of its own: one broadcast domain, of which the machine sees nothing. Must be closed. */
export class LabNetwork {
  readonly name: string;
  readonly namespace: string;
  readonly spec: NetworkSpec;
  #ports = 0;

  constructor(spec: NetworkSpec, namespace: string) {
    this.name = spec.name;
    this.namespace = namespace;
    this.spec = spec;
  }

  async open(): Promise<void> {
    await addNamespace(this.namespace);
    await ipBatch(this.namespace, [
      "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      "link set br0 up",
    ]);
  }

  /** Returns the name of the port on the bridge. */
  async attach(nodeNamespace: string, interfaceName: string): Promise<string> {
    checkInterface(interfaceName);
    this.#ports += 1;
    const port = `p${String(this.#ports)}`;
    await ipBatch(this.namespace, [
      `link add ${port} type veth peer name ${interfaceName} address ${macAddress(nodeNamespace, interfaceName)} netns ${nodeNamespace}`,
      `link set ${port} master br0 up`,
    ]);
    return port;
  }

  /** Accepts that the port went with its node. */
  async detach(port: string): Promise<void> {
    await ipBatch(this.namespace, [`link delete ${port}`]).catch(() => undefined);
  }

  async setCable(port: string, cable: Cable): Promise<void> {
    await ipBatch(this.namespace, [`link set ${port} ${cable === "unplugged" ? "down" : "up"}`]);
    // Port states of the bridge: 0 passes nothing, 3 forwards (linux/if_bridge.h).
    if (cable !== "unplugged")
      await must(["bridge", "-n", this.namespace, "link", "set", "dev", port, "state", cable === "silent" ? "0" : "3"]);
  }

  /** "10.20.0.5" becomes "10.20.0.5/24"; an address outside the subnet is refused. */
  withPrefix(address: string): string {
    if (address.includes("/")) return address;
    const family = isIP(address);
    const subnet = family === 4 ? this.spec.subnet4 : family === 6 ? this.spec.subnet6 : undefined;
    const [base, length] = subnet?.split("/") ?? [];
    if (base === undefined || length === undefined) {
      throw new LabError(
        `address "${address}" on network ${this.name}: expected an address of ${this.spec.subnet4 ?? "no IPv4 subnet"} or ${this.spec.subnet6 ?? "no IPv6 subnet"}`,
      );
    }
    if (!inSubnet(`${base}/${length}`, address))
      throw new LabError(`address "${address}" is not in ${String(subnet)} of network ${this.name}`);
    return `${address}/${length}`;
  }

  async close(): Promise<void> {
    await deleteNamespace(this.namespace);
  }
}

/** The same after each boot, as a real card's: neighbours keep what they learned. 02: locally administered. */
function macAddress(namespace: string, interfaceName: string): string {
  const digest = createHash("sha256").update(`${namespace}/${interfaceName}`).digest("hex").slice(0, 10);
  return ["02", ...(digest.match(/../g) ?? [])].join(":");
}

/** `subnet` may be any address of the subnet with its prefix length. */
export function inSubnet(subnet: string, address: string): boolean {
  const [base = "", length = ""] = subnet.split("/");
  const family = isIP(base);
  if (family === 0 || isIP(address) !== family) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const block = new BlockList();
  block.addSubnet(base, Number(length), type);
  return block.check(address, type);
}
