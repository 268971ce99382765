import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@connectrpc/connect";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import type { SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { Transaction } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Ledger } from "../src/ledger/ledger.ts";
import { systemClock } from "../src/os/clock.ts";
import { identify } from "../src/os/processes.ts";
import { connectUnix } from "../src/os/sockets.ts";
import { agentPaths } from "../src/paths.ts";
import { clientOver, type ConnectionClient } from "../src/rpc/http2-transport.ts";
import { bundled } from "./bundled.ts";
import { Commander, effectiveConfig, type CommandInit, type Trial } from "./commander.ts";
import { SYSTEM_FILE, VPN_FILE } from "./file-agent-main.ts";

let made = "";

/** The test agent as one file, made once for each file of tests: it starts many processes. */
function program(): string {
  if (made === "") {
    made = join(mkdtempSync(join(tmpdir(), "holdfast-bundle-")), "file-agent.mjs");
    writeFileSync(made, bundled("agent/test/file-agent-main.ts"));
    process.once("exit", () => rmSync(dirname(made), { recursive: true, force: true }));
  }
  return made;
}

export interface Settings extends Trial {
  readonly system?: string;
  readonly vpn?: string;
}

/** A whole agent without an init system, below a folder of its own, with real processes and real files. */
export class AgentUnderTest {
  readonly root = mkdtempSync(join(tmpdir(), "holdfast-agent-"));
  readonly paths = agentPaths(this.root);
  readonly #commander = new Commander();
  #connection: ConnectionClient | null = null;
  #log = "";

  constructor() {
    this.write("/var/lib/holdfast/enrolment.json", this.#commander.identity());
    const receiptKey = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    this.write("/var/lib/holdfast/receipt.key", receiptKey.toString());
    this.write(SYSTEM_FILE, "system before");
    this.write(VPN_FILE, "vpn before");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  read(path: string): string | null {
    return existsSync(join(this.root, path)) ? readFileSync(join(this.root, path), "utf8") : null;
  }

  /** What the two domains' files hold now. */
  server(): { system: string | null; vpn: string | null } {
    return { system: this.read(SYSTEM_FILE), vpn: this.read(VPN_FILE) };
  }

  /** Starts a role; `wrapper` stands before the command line, strace for example. */
  start(role: readonly string[], wrapper: readonly string[] = []): ChildProcess {
    const command = [...wrapper, process.execPath, program(), ...role, "--root", this.root];
    const child = spawn(command[0] ?? process.execPath, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk: Buffer): void => void (this.#log += chunk.toString());
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return child;
  }

  async run(role: readonly string[]): Promise<{ status: number | null; output: string }> {
    const before = this.#log.length;
    const child = this.start(role);
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { status, output: this.#log.slice(before) };
  }

  log(): string {
    return this.#log;
  }

  async startGuard(wrapper: readonly string[] = []): Promise<ChildProcess> {
    const child = this.start(["guard"], wrapper);
    const giveUpAt = performance.now() + 15_000;
    for (;;) {
      const socket = await connectUnix(this.paths.guardSocket);
      if (socket !== null) {
        this.#connection = clientOver(socket);
        return child;
      }
      if (performance.now() > giveUpAt) throw new Error(`the guard did not listen: ${this.#log}`);
      await sleep(20);
    }
  }

  guard(): Client<typeof GuardService> {
    if (this.#connection === null) throw new Error("the guard was not started");
    return createClient(GuardService, this.#connection.transport);
  }

  /** SIGKILL to this very process (under a wrapper, to what it wraps too), and its end awaited. What it started lives on. */
  async kill(child: ChildProcess): Promise<void> {
    const { pid } = child;
    if (pid === undefined) return;
    const pids = child.spawnfile === process.execPath ? [pid] : [...childrenOf(pid), pid];
    for (const one of pids) killQuietly(one);
    while (!pids.every(isGone)) await sleep(5);
    this.#connection?.close();
  }

  get serverId(): string {
    return this.#commander.serverId;
  }

  config(wish: Settings): { configJson: string; configDigest: string } {
    const domains: Record<string, Json> = {};
    if (wish.system !== undefined) domains["system"] = { text: wish.system };
    if (wish.vpn !== undefined) domains["vpn"] = { text: wish.vpn };
    return effectiveConfig(domains, wish);
  }

  nextFence(): bigint {
    return this.#commander.nextFence();
  }

  command(requestId: string, verb: NonNullable<CommandInit["verb"]>, more: CommandInit = {}): SignedCommand {
    return this.#commander.command(requestId, verb, more);
  }

  async submit(command: SignedCommand, sessionMonotonicNs = 0n): Promise<Transaction> {
    return this.guard().submit({ command, sessionMonotonicNs });
  }

  /** Plans and prepares; answers with what the guard says. */
  async prepare(requestId: string, wish: Settings, more: CommandInit = {}): Promise<Transaction> {
    const config = this.config(wish);
    const plan = await this.guard().plan(config);
    const prepare = {
      kind: "forward",
      ...config,
      planDigest: plan.planDigest,
      baseGeneration: plan.baseGeneration,
      overwriteDrift: false,
    };
    return this.submit(this.command(requestId, { case: "prepare", value: prepare }, more));
  }

  async execute(requestId: string, nonce: string): Promise<Transaction> {
    return this.submit(this.command(requestId, { case: "execute", value: { nonce } }));
  }

  /** Over a session that begins now. */
  async confirm(requestId: string, nonce: string, sessionMonotonicNs = process.hrtime.bigint()): Promise<Transaction> {
    return this.submit(this.command(requestId, { case: "confirm", value: { nonce } }), sessionMonotonicNs);
  }

  async abort(requestId: string): Promise<Transaction> {
    return this.submit(
      this.command(requestId, { case: "abort", value: { code: "operator.abort", message: "kim pressed the button" } }),
    );
  }

  async ledger(): Promise<LedgerState> {
    const ledger = await Ledger.open(this.paths.ledger, systemClock);
    try {
      return ledger.read();
    } finally {
      ledger.close();
    }
  }

  /** Waits until the ledger's last word on the request is one of these. */
  async until(requestId: string, ...last: readonly string[]): Promise<string> {
    const giveUpAt = performance.now() + 30_000;
    for (;;) {
      const now = transactionOf(await this.ledger(), requestId)?.last ?? "unknown";
      if (last.includes(now)) return now;
      if (performance.now() > giveUpAt)
        throw new Error(`${requestId} is ${now}, not ${last.join(" or ")}: ${this.#log}`);
      await sleep(25);
    }
  }

  /** As a power cut: every process of this agent at once, detached ones too. All of them name this root on their command line. */
  async killEverything(): Promise<void> {
    this.#connection?.close();
    for (let left = this.#processes(); left.length > 0; left = this.#processes()) {
      for (const pid of left) killQuietly(pid);
      await sleep(10);
    }
  }

  async close(): Promise<void> {
    await this.killEverything();
    rmSync(this.root, { recursive: true, force: true });
  }

  #processes(): readonly number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(Number)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(this.root);
        } catch {
          return false;
        }
      });
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Its first thread may be dead while others still hold its sockets and locks. */
function isGone(pid: number): boolean {
  try {
    return identify(pid) === null && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
