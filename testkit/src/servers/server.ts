import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freezeServerGroups, killServerGroups, makeServerGroups, removeServerGroups } from "./cgroup.ts";
import {
  run,
  RunningProcess,
  type CommandOptions,
  type CommandResult,
  type ProcessEnd,
  type SpawnOptions,
} from "./child.ts";
import { LabError } from "./lab-error.ts";
import { nodeBinary, repository, visiblePaths } from "./machine.ts";
import { networkUnits } from "./network-units.ts";
import type { Cable } from "./network.ts";
import { LabNode, type NodeSpec } from "./node.ts";
import { claimDisk, openOverlay, releaseDisk, tryOffline, WRITE_FILE, type Overlay } from "./overlay.ts";
import { commandName, kill } from "./process-table.ts";
import { findInit, kindsOfServer, NSPAWN_ENVIRONMENT, WITHOUT_MACHINE_RIGHTS, type ServerKind } from "./server-kind.ts";

export interface ServerSpec extends NodeSpec {
  readonly kind: ServerKind;
  /** systemd only: units of this machine that start at boot, such as "ssh" or "nftables". All others are installed and off. */
  readonly enable?: readonly string[];
  /**
   * Who gives the interfaces their addresses. "static": the lab, before each boot, as a provider's set-up would.
   * "networkd": systemd-networkd inside, from files in /etc/systemd/network (systemd only). Default "static".
   */
  readonly addressing?: "static" | "networkd";
  /**
   * A directory of the caller's in which the disk is kept when the lab closes, for a server that goes on in the next lab.
   * What `enable` and `addressing` write is written when the disk is made. Default: a disk in the lab's home that goes with it.
   */
  readonly keepDiskIn?: string;
}

export interface ServerPlace {
  readonly prefix: string;
  readonly namespace: string;
  readonly home: string;
  readonly hidden: readonly string[];
}

/** A cold start takes about a second; a machine that also compiles something may need twenty times that. */
const BOOT_PATIENCE_MS = 60_000;
const BOOT_POLL_MS = 40;
/** A boot lost to a race of namespaces succeeds at the second try; what fails three times is a fault to be read. */
const BOOT_TRIES = 3;
const POWEROFF_PATIENCE_MS = 15_000;
const CONSOLE_TAIL_CHARACTERS = 3_000;

/**
 * One managed server, real from its PID 1 up. Its disk outlives reboots and power cuts; its kernel state (addresses, rulesets,
 * sysctls of the network, /run) does not: each boot gets a fresh network namespace, as a real boot gets a fresh kernel.
 * A power cut here is the death of every process at one instant. What they had written is kept, synced or not. Must be closed.
 */
export class LabServer {
  readonly name: string;
  readonly kind: ServerKind;
  readonly spec: ServerSpec;
  readonly node: LabNode;
  /** Where the checkout is inside the server, read-only: the same path as outside. */
  readonly repo = repository;
  readonly nodeBinary = nodeBinary;
  readonly #place: ServerPlace;
  #overlay: Overlay | undefined;
  #launcher: RunningProcess | undefined;
  #initPid: number | undefined;
  /** What the owner wants: after a reboot from inside, a server that is wanted comes back. */
  #wanted = false;
  #boots = 0;
  #boot: Promise<void> = Promise.resolve();

  constructor(spec: ServerSpec, place: ServerPlace) {
    if (spec.kind === "plain" && (spec.addressing === "networkd" || (spec.enable ?? []).length > 0)) {
      throw new LabError(`server ${spec.name}: "enable" and networkd addressing need kind "systemd"`);
    }
    this.name = spec.name;
    this.kind = spec.kind;
    this.spec = spec;
    this.#place = place;
    this.node = new LabNode(spec, place.namespace);
  }

  get namespace(): string {
    return this.node.namespace;
  }

  get isUp(): boolean {
    return this.#initPid !== undefined;
  }

  /** How many boots have completed. */
  get boots(): number {
    return this.#boots;
  }

  /** PID 1 of the server as the machine counts; changes with each boot. */
  get initPid(): number {
    if (this.#initPid === undefined) throw new LabError(`server ${this.name} is off: call start() or startAgain()`);
    return this.#initPid;
  }

  /** The console of all boots, newest last. */
  console(): string {
    try {
      return readFileSync(join(this.#place.home, "console"), "utf8");
    } catch {
      return "";
    }
  }

  /** Boots and waits until the server is up; makes its disk the first time. */
  async start(): Promise<void> {
    if (this.#wanted) return this.#boot;
    this.#wanted = true;
    this.#boot = this.#bootUp();
    return this.#boot;
  }

  /** After cut() or stop(): the same disk boots again. */
  startAgain(): Promise<void> {
    return this.start();
  }

  /** Waits for a boot that was begun from inside, if one is going on. */
  async waitUp(boots = this.#boots): Promise<void> {
    await this.#boot;
    const deadline = performance.now() + BOOT_PATIENCE_MS;
    while (!this.isUp || this.#boots < boots) {
      if (performance.now() > deadline)
        throw new LabError(`server ${this.name} did not come back: ${this.#consoleTail()}`);
      await sleep(BOOT_POLL_MS);
      await this.#boot;
    }
  }

  /** Orderly: services end, PID 1 restarts, the disk stays. */
  async reboot(): Promise<void> {
    const before = this.#boots;
    const launcher = this.#launcher;
    const { reboot, asksForReboot } = kindsOfServer[this.kind];
    kill(this.initPid, reboot);
    await this.#endOf(launcher);
    // A reaper cannot ask for a reboot as systemd does: its orderly end was the request.
    if (!asksForReboot(launcher?.end ?? { code: 0, signal: null })) {
      await this.#boot;
      await this.#powerless();
      this.#wanted = false;
      await this.start();
    }
    await this.waitUp(before + 1);
  }

  /** Every process ends at once, without a signal it could see; the network goes silent; the disk stays. */
  async cut(): Promise<void> {
    this.#wanted = false;
    this.#killAll();
    await this.#boot.catch(() => undefined);
    await this.#powerless();
  }

  /** A machine that is paused: no process runs, the clocks go on. */
  pause(): void {
    if (!freezeServerGroups(this.#place.prefix, this.name, true))
      throw new LabError("this machine's control groups cannot be frozen");
  }

  resume(): void {
    freezeServerGroups(this.#place.prefix, this.name, false);
  }

  /** Orderly shut-down; kills after a while. */
  async stop(): Promise<void> {
    if (this.#initPid !== undefined) {
      this.#wanted = false;
      kill(this.#initPid, kindsOfServer[this.kind].poweroff);
      const launcher = this.#launcher;
      const timer = setTimeout(() => this.#killAll(), POWEROFF_PATIENCE_MS);
      await launcher?.ended;
      clearTimeout(timer);
    }
    await this.cut();
  }

  /** Idempotent; removes the disk too. */
  async close(): Promise<void> {
    await this.cut();
    removeServerGroups(this.#place.prefix, this.name);
    rmSync(this.#place.home, { recursive: true, force: true, maxRetries: 5 });
    if (this.#overlay !== undefined && this.spec.keepDiskIn !== undefined) releaseDisk(this.spec.keepDiskIn);
    this.#overlay = undefined;
  }

  /** Runs a command as root in the server. It cannot reach the machine's clock, modules or devices. */
  async exec(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run(this.#inside(argv), options);
  }

  /** As exec, and a command that fails is an error that says why. Returns standard output. */
  async must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const result = await this.exec(argv, options);
    if (result.code !== 0)
      throw new LabError(
        `on ${this.name}: "${argv.join(" ")}" ended with ${String(result.code)}: ${(result.stderr || result.stdout).trim()}`,
      );
    return result.stdout;
  }

  /** A process in the server, outside any unit; it ends with the server. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): RunningProcess {
    return new RunningProcess(this.#inside(argv), options);
  }

  /** Also when the server is off. Whole or not at all. */
  async writeFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const argv = ["sh", "-c", WRITE_FILE, "sh", path, mode.toString(8)];
    const result = await this.#onDisk(argv, { input: content });
    if (result.code !== 0) throw new LabError(`on ${this.name}: cannot write ${path}: ${result.stderr.trim()}`);
  }

  /** Also when the server is off. Undefined: there is no such file. */
  async readFile(path: string): Promise<string | undefined> {
    const result = await this.#onDisk(["sh", "-c", '[ -e "$1" ] || exit 44; exec cat -- "$1"', "sh", path], {});
    if (result.code === 44) return undefined;
    if (result.code !== 0) throw new LabError(`on ${this.name}: cannot read ${path}: ${result.stderr.trim()}`);
    return result.stdout;
  }

  /** Pids, as the server counts them, of processes whose whole command line matches this pattern (pgrep -f). */
  async pidsOf(pattern: string): Promise<readonly number[]> {
    const result = await this.exec(["pgrep", "-f", "--", pattern]);
    return result.stdout
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  }

  async kill(pids: readonly number[], signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (pids.length > 0) await this.exec(["kill", `-${signal.slice("SIG".length)}`, ...pids.map(String)]);
  }

  /** All processes of a unit; systemd servers only. */
  async killUnit(unit: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.must(["systemctl", "kill", "--kill-who=all", `--signal=${signal}`, unit]);
  }

  setCable(interfaceName: string, cable: Cable): Promise<void> {
    return this.node.setCable(interfaceName, cable);
  }

  #inside(argv: readonly string[]): readonly string[] {
    const namespaces = ["-m", "-u", "-i", "-n", "-p", "-r", "-w", ...(this.kind === "systemd" ? ["-C"] : [])];
    return ["nsenter", "-t", String(this.initPid), ...namespaces, "--", ...WITHOUT_MACHINE_RIGHTS, ...argv];
  }

  async #onDisk(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
    if (this.#wanted) {
      await this.waitUp();
      return this.exec(argv, options);
    }
    return tryOffline(await this.#disk(), argv, options);
  }

  async #disk(): Promise<Overlay> {
    if (this.#overlay === undefined) {
      const networkd = this.spec.addressing === "networkd";
      mkdirSync(this.#place.home, { recursive: true, mode: 0o700 });
      const { keepDiskIn } = this.spec;
      if (keepDiskIn !== undefined) claimDisk(keepDiskIn);
      this.#overlay = await openOverlay(keepDiskIn ?? this.#place.home, {
        hostname: this.name,
        enable: [...(this.spec.enable ?? []), ...(networkd ? ["systemd-networkd"] : [])],
        files: networkd ? networkUnits(this.spec) : {},
      });
    }
    return this.#overlay;
  }

  async #bootUp(): Promise<void> {
    const overlay = await this.#disk();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#bootOnce(overlay);
        return;
      } catch (cause) {
        this.#killAll();
        await this.#powerless();
        if (!this.#wanted) throw new LabError(`server ${this.name} was stopped while it booted`, { cause });
        if (attempt === BOOT_TRIES) {
          this.#wanted = false;
          throw new LabError(`server ${this.name} did not boot: ${String(cause)}\n${this.#consoleTail()}`, { cause });
        }
      }
    }
  }

  async #bootOnce(overlay: Overlay): Promise<void> {
    await this.node.open(this.spec.addressing === "networkd" ? "none" : "static");
    const groups = makeServerGroups(this.#place.prefix, this.name);
    const argv = kindsOfServer[this.kind].argv({
      name: this.name,
      overlay,
      namespace: this.namespace,
      groups,
      visible: visiblePaths(),
      hidden: this.#place.hidden.filter((path) => existsSync(path)),
    });
    const output = openSync(join(this.#place.home, "console"), "a", 0o600);
    const launcher = new RunningProcess(argv, { outputTo: output, env: NSPAWN_ENVIRONMENT });
    closeSync(output);
    this.#launcher = launcher;
    const pid = await this.#waitFor(launcher, () => {
      const found = launcher.pid === undefined ? undefined : findInit(launcher.pid);
      return found !== undefined && this.#isOurRoot(found, overlay) ? found : undefined;
    });
    this.#initPid = pid;
    await this.#waitReady(launcher);
    this.#boots += 1;
    void launcher.ended.then((end) => this.#onEnd(launcher, end));
  }

  /** Before PID 1 has changed its root, a command that enters it would run on this machine instead. */
  #isOurRoot(pid: number, overlay: Overlay): boolean {
    const command = commandName(pid);
    try {
      const machineId = readFileSync(`/proc/${String(pid)}/root/etc/machine-id`, "utf8").trim();
      return machineId === overlay.machineId && (this.kind === "plain" ? command === "bash" : command === "systemd");
    } catch {
      return false;
    }
  }

  async #waitReady(launcher: RunningProcess): Promise<void> {
    if (this.kind === "plain") return;
    let answer = "";
    await this.#waitFor(launcher, async () => {
      answer = (
        await this.exec(["systemctl", "is-system-running", "--wait"], { timeoutMs: BOOT_PATIENCE_MS })
      ).stdout.trim();
      return answer === "running" || answer === "degraded" ? answer : undefined;
    });
    if (this.spec.addressing === "networkd") {
      const interfaces = this.spec.attachments.map((attachment) => `--interface=${attachment.interface}`);
      await this.must(["/lib/systemd/systemd-networkd-wait-online", "--timeout=20", ...interfaces]);
    }
  }

  async #waitFor<T>(launcher: RunningProcess, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + BOOT_PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (launcher.end !== undefined) throw new LabError(`PID 1 ended with ${String(launcher.end.code)}`);
      if (!this.#wanted) throw new LabError("stopped");
      if (performance.now() > deadline) throw new LabError(`not up after ${String(BOOT_PATIENCE_MS / 1000)} s`);
      await sleep(BOOT_POLL_MS);
    }
  }

  /** PID 1 ended: by a reboot from inside, a poweroff from inside, or a crash. */
  #onEnd(launcher: RunningProcess, end: ProcessEnd): void {
    if (this.#launcher !== launcher) return;
    this.#initPid = undefined;
    if (!this.#wanted || !kindsOfServer[this.kind].asksForReboot(end)) return;
    this.#boot = this.#powerless().then(() => this.#bootUp());
    // Nobody may be waiting; whoever does gets the same error from waitUp().
    this.#boot.catch(() => undefined);
  }

  #killAll(): void {
    killServerGroups(this.#place.prefix, this.name);
    const init = this.#launcher?.pid === undefined ? undefined : findInit(this.#launcher.pid);
    if (init !== undefined) kill(init, "SIGKILL");
    this.#launcher?.signal("SIGKILL");
  }

  /** No process, no network: the state between two boots. */
  async #powerless(): Promise<void> {
    this.#initPid = undefined;
    await this.#launcher?.ended;
    await this.node.close();
  }

  async #endOf(launcher: RunningProcess | undefined): Promise<void> {
    const timer = setTimeout(() => this.#killAll(), POWEROFF_PATIENCE_MS);
    await launcher?.ended;
    clearTimeout(timer);
  }

  #consoleTail(): string {
    const text = this.console().slice(-CONSOLE_TAIL_CHARACTERS).trim();
    return text === "" ? "its console is empty" : `the end of its console:\n${text}`;
  }
}
