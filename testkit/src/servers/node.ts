import { isIPv6 } from "node:net";
import { must, run, RunningProcess, type CommandOptions, type CommandResult, type SpawnOptions } from "./child.ts";
import { LabError } from "./lab-error.ts";
import {
  addNamespace,
  addressLine,
  deleteNamespace,
  inNamespace,
  ipBatch,
  namespacePath,
  setForwarding,
} from "./network-namespace.ts";
import type { Cable, LabNetwork } from "./network.ts";
import { kill, processesInNamespaces } from "./process-table.ts";

export interface Attachment {
  readonly network: LabNetwork;
  /** The name that the node sees, at most 15 characters: "eth0", "wan". */
  readonly interface: string;
  /** With or without a prefix length; without, the network's. */
  readonly addresses?: readonly string[];
}

export interface Route {
  /** "default" or a prefix. */
  readonly to: string;
  readonly via: string;
}

export interface NodeSpec {
  readonly name: string;
  readonly attachments: readonly Attachment[];
  readonly routes?: readonly Route[];
  /** Passes packets on between its interfaces. */
  readonly forwarding?: boolean;
}

/**
 * A place on the lab's networks: a network namespace with its interfaces, in which programs of this machine can run.
 * By itself it is a client, a router or the home of a control plane; a server has one as its network. Must be closed.
 */
export class LabNode {
  readonly name: string;
  readonly namespace: string;
  readonly spec: NodeSpec;
  readonly #ports = new Map<string, { readonly network: LabNetwork; readonly port: string }>();
  readonly #processes = new Set<RunningProcess>();
  #present = false;

  constructor(spec: NodeSpec, namespace: string) {
    this.name = spec.name;
    this.namespace = namespace;
    this.spec = spec;
  }

  get present(): boolean {
    return this.#present;
  }

  /** `addressing: "none"` leaves the interfaces down and bare, for a server that configures them itself. */
  async open(addressing: "static" | "none" = "static"): Promise<void> {
    await addNamespace(this.namespace);
    this.#present = true;
    for (const attachment of this.spec.attachments) {
      const port = await attachment.network.attach(this.namespace, attachment.interface);
      this.#ports.set(attachment.interface, { network: attachment.network, port });
    }
    if (addressing === "static") {
      const lines = this.spec.attachments.flatMap((attachment) => [
        ...(attachment.addresses ?? []).map((address) =>
          addressLine(attachment.interface, attachment.network.withPrefix(address)),
        ),
        `link set ${attachment.interface} up`,
      ]);
      const routes = (this.spec.routes ?? []).map(
        (route) => `${isIPv6(route.via) ? "-6 " : ""}route add ${route.to} via ${route.via}`,
      );
      if (lines.length > 0) await ipBatch(this.namespace, lines);
      for (const route of routes) await must(["ip", "-n", this.namespace, ...route.split(" ")]);
    }
    if (this.spec.forwarding === true) await setForwarding(this.namespace);
  }

  async setCable(interfaceName: string, cable: Cable): Promise<void> {
    const found = this.#ports.get(interfaceName);
    if (found === undefined)
      throw new LabError(
        `interface "${interfaceName}" of ${this.name}: expected one of ${[...this.#ports.keys()].join(", ")}`,
      );
    await found.network.setCable(found.port, cable);
  }

  /** Runs a command of this machine in the node's network. */
  exec(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    this.#mustBePresent();
    return run(inNamespace(this.namespace, argv), options);
  }

  /** Starts a program of this machine in the node's network; it ends with the node at the latest. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): RunningProcess {
    this.#mustBePresent();
    const child = new RunningProcess(inNamespace(this.namespace, argv), options);
    this.#processes.add(child);
    void child.ended.then(() => this.#processes.delete(child));
    return child;
  }

  /** Idempotent. Kills whatever is in the namespace, at once. */
  async close(): Promise<void> {
    if (!this.#present) return;
    this.#present = false;
    for (const pid of processesInNamespaces([namespacePath(this.namespace)])) kill(pid, "SIGKILL");
    await Promise.all([...this.#processes].map((child) => child.stop("SIGKILL")));
    for (const { network, port } of this.#ports.values()) await network.detach(port);
    this.#ports.clear();
    await deleteNamespace(this.namespace);
  }

  #mustBePresent(): void {
    if (!this.#present) throw new LabError(`${this.name} is off: start it before using its network`);
  }
}
