import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { stopWatching, watchForExit } from "./exit-hook.ts";
import { LabError } from "./lab-error.ts";
import { checkName, checkPrefix, networkNamespace, nodeNamespace } from "./names.ts";
import { NatBox, type NatBoxSpec } from "./nat-box.ts";
import { LabNetwork, type NetworkSpec } from "./network.ts";
import { LabNode, type NodeSpec } from "./node.ts";
import { claim, homeOf } from "./owner.ts";
import { removeLab, sweep } from "./removal.ts";
import { LabServer, type ServerSpec } from "./server.ts";

export interface LabOptions {
  /** Unique among the labs of the machine: "hfdemo", or "hft-<pid>-<n>" for a test. */
  readonly prefix: string;
  /** Where disks and records lie. On a file system that can carry an overlay's upper layer: ext4, xfs, btrfs, tmpfs; not another overlay. */
  readonly directory?: string;
  /** Directories that the servers see empty, besides the lab's own: where a control plane of this machine keeps its keys. */
  readonly hidden?: readonly string[];
}

export const LAB_DIRECTORY = "/var/tmp/holdfast-lab";

/**
 * Networks and servers made of namespaces on this machine. The lab owns every one of them: close() removes all, a process that dies
 * is cleaned up after by its exit hook or by the next lab's sweep, and the machine's own network namespace never sees any of it.
 * Several labs may be open at once. Must be closed.
 */
export class Lab {
  readonly prefix: string;
  readonly directory: string;
  readonly #hidden: readonly string[];
  readonly #networks = new Map<string, LabNetwork>();
  readonly #nodes = new Map<string, LabNode | LabServer>();
  #closing: Promise<void> | undefined;

  private constructor(prefix: string, directory: string, hidden: readonly string[]) {
    this.prefix = prefix;
    this.directory = directory;
    this.#hidden = [directory, ...hidden.map((path) => resolve(path))];
  }

  /** Sweeps what dead owners left in the directory, then claims the prefix. */
  static open(options: LabOptions): Lab {
    if (process.getuid?.() !== 0)
      throw new LabError("a lab needs root: namespaces and mounts cannot be made without it");
    const directory = resolve(options.directory ?? LAB_DIRECTORY);
    if (/[^A-Za-z0-9_./-]/.test(directory))
      throw new LabError(
        `directory "${directory}": expected letters, digits, "_", ".", "-" and "/" only, because it becomes a mount option`,
      );
    const prefix = checkPrefix(options.prefix);
    Lab.sweep(directory);
    claim(directory, prefix);
    watchForExit(directory, prefix);
    mkdirSync(homeOf(directory, prefix), { mode: 0o700 });
    return new Lab(prefix, directory, options.hidden ?? []);
  }

  /** Removes the labs of dead owners; returns their prefixes. */
  static sweep(directory: string = LAB_DIRECTORY): readonly string[] {
    return sweep(directory);
  }

  get home(): string {
    return homeOf(this.directory, this.prefix);
  }

  async network(spec: NetworkSpec): Promise<LabNetwork> {
    this.#mustBeOpen();
    const namespace = networkNamespace(this.prefix, checkName(spec.name));
    if (this.#networks.has(spec.name))
      throw new LabError(`network "${spec.name}" exists already in lab ${this.prefix}`);
    const network = new LabNetwork(spec, namespace);
    this.#networks.set(spec.name, network);
    await network.open();
    return network;
  }

  /** A client, a control plane's home, a router: a place on networks, without a system of its own. */
  async bare(spec: NodeSpec): Promise<LabNode> {
    const node = this.#register(spec.name, new LabNode(spec, nodeNamespace(this.prefix, checkName(spec.name))));
    await node.open();
    return node;
  }

  /** Lets what is inside reach out under its own address, and drops what comes in from outside. */
  async natBox(spec: NatBoxSpec): Promise<NatBox> {
    const box = this.#register(spec.name, new NatBox(spec, nodeNamespace(this.prefix, checkName(spec.name))));
    await box.open();
    return box;
  }

  /** Not yet started. */
  server(spec: ServerSpec): LabServer {
    const place = {
      prefix: this.prefix,
      namespace: nodeNamespace(this.prefix, checkName(spec.name)),
      home: join(this.home, spec.name),
      hidden: this.#hidden,
    };
    return this.#register(spec.name, new LabServer(spec, place));
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // What one of them could not clean up, the removal of the whole lab does.
    await Promise.allSettled([...this.#nodes.values()].map((node) => node.close()));
    await Promise.allSettled([...this.#networks.values()].map((network) => network.close()));
    removeLab(this.directory, this.prefix);
    stopWatching(this.directory, this.prefix);
  }

  #register<T extends LabNode | LabServer>(name: string, node: T): T {
    this.#mustBeOpen();
    if (this.#nodes.has(name)) throw new LabError(`node "${name}" exists already in lab ${this.prefix}`);
    this.#nodes.set(name, node);
    return node;
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new LabError(`lab ${this.prefix} is closed`);
  }
}
