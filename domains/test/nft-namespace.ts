import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import { type FirewallObserved, firewallFacts, observeFirewall } from "../src/firewall/facts.ts";

/** As the agent runs native tools: the same words and times on every machine. */
const ENVIRONMENT = { ...process.env, LC_ALL: "C", TZ: "UTC" };
let made = 0;

/** A network namespace of its own with nothing in it but what a test loads. Close it, whatever happens. */
export class NftNamespace {
  readonly name: string;
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];

  constructor() {
    made += 1;
    this.name = `hff-${process.pid}-${made}`;
    this.#folder = mkdtempSync(join(tmpdir(), "hff-"));
    execFileSync("ip", ["netns", "add", this.name]);
    this.run("ip", "link", "set", "lo", "up");
  }

  /** Runs a program inside. @throws Error with what it printed when it fails. */
  run(...argv: readonly [string, ...string[]]): string {
    const fact = this.try(...argv);
    if (fact.status !== 0) throw new Error(`${argv.join(" ")} ended with ${fact.status}: ${fact.stderr}`);
    return fact.stdout;
  }

  try(...argv: readonly [string, ...string[]]): RawFact {
    const done = spawnSync("ip", ["netns", "exec", this.name, ...argv], {
      env: ENVIRONMENT,
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
    });
    return { status: done.status ?? -1, stdout: done.stdout, stderr: done.stderr };
  }

  /** Loads one batch, as the performer does: through a file. */
  load(batch: string): void {
    const path = join(this.#folder, "batch.nft");
    writeFileSync(path, batch);
    const fact = this.try("nft", "-f", path);
    if (fact.status !== 0) throw new Error(`nft refused the batch: ${fact.stderr.slice(0, 2000)}`);
  }

  observe(): FirewallObserved {
    return observeFirewall(
      Object.fromEntries(firewallFacts.map((query) => [query.name, this.#read(query)])) satisfies RawFacts,
    );
  }

  #read(query: FactQuery): RawFact {
    return query.kind === "command" ? this.try(...query.argv) : this.try("cat", query.path);
  }

  /** Packets counted per counter of our table. */
  counters(): ReadonlyMap<string, number> {
    return new Map(this.#counterObjects().map((counter) => [counter.name, counter.packets]));
  }

  /** A handle stays while the object lives; a new handle is a new counter. */
  counterHandles(): ReadonlyMap<string, number> {
    return new Map(this.#counterObjects().map((counter) => [counter.name, counter.handle]));
  }

  #counterObjects(): readonly { readonly name: string; readonly packets: number; readonly handle: number }[] {
    const fact = this.try("nft", "-j", "list", "counters", "table", "inet", "holdfast");
    if (fact.status !== 0) return [];
    const listing = JSON.parse(fact.stdout) as {
      nftables: { counter?: { name: string; packets: number; handle: number } }[];
    };
    return listing.nftables.flatMap((item) => (item.counter === undefined ? [] : [item.counter]));
  }

  /** A Node program inside that answers one line for each line it is given. */
  talkTo(program: URL): (request: object) => Promise<unknown> {
    const child = spawn("ip", ["netns", "exec", this.name, process.execPath, program.pathname], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#children.push(child);
    const waiting: ((answer: unknown) => void)[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)));
    return (request) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(request)}\n`);
      });
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    spawnSync("ip", ["netns", "delete", this.name]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A cable between two namespaces; each end has a name of its own. */
export function cable(a: NftNamespace, aName: string, b: NftNamespace, bName: string): void {
  execFileSync("ip", ["link", "add", aName, "netns", a.name, "type", "veth", "peer", "name", bName, "netns", b.name]);
  a.run("ip", "link", "set", aName, "up");
  b.run("ip", "link", "set", bName, "up");
}
