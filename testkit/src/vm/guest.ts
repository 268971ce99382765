import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { RunningProcess, type CommandOptions, type CommandResult } from "../servers/child.ts";
import { LabError } from "../servers/lab-error.ts";
import type { Lab } from "../servers/lab.ts";
import { checkName } from "../servers/names.ts";
import { WRITE_FILE } from "../servers/overlay.ts";
import { until } from "../until.ts";
import { CommandPort } from "./command-port.ts";
import { GUEST_NODE, makeGuestDisk, type GuestFile } from "./guest-disk.ts";
import { STOCK_KERNEL } from "./stock-kernel.ts";

export interface GuestSpec {
  readonly name: string;
  /**
   * Network cards eth0, eth1 and so on, each on a switch inside QEMU; cards with the same word are on the same switch. Nothing of it leads
   * out of QEMU: commands come over a serial line.
   */
  readonly cards: readonly string[];
  /** Put on its disk before it boots. */
  readonly files: Readonly<Record<string, GuestFile>>;
}

const COMMAND_PORTS = 2;
const MEMORY_MB = 768;
const PROCESSORS = 2;
/** An emulated boot takes half a minute on an idle machine. */
const BOOT_PATIENCE_MS = 300_000;
const QEMU_PATIENCE_MS = 20_000;
/** Another one after each boot. */
const BOOT_ID = ["cat", "/proc/sys/kernel/random/boot_id"];

/**
 * A server with a stock Debian kernel, emulated by QEMU: for what the kernel of the machine that tests run on lacks. It is some twenty times slower
 * than a server in namespaces (servers/server.ts), so that only what needs such a kernel belongs here. Its disk is this machine's "/" under one of its own.
 * Must be closed; it ends with its owner.
 */
export class Guest {
  readonly name: string;
  readonly nodeBinary = GUEST_NODE;
  readonly #home: string;
  readonly #qemu: RunningProcess;
  readonly #ports: readonly CommandPort[];
  #next = 0;

  private constructor(
    home: string,
    name: string,
    running: { readonly qemu: RunningProcess; readonly ports: readonly CommandPort[] },
  ) {
    this.name = name;
    this.#home = home;
    this.#qemu = running.qemu;
    this.#ports = running.ports;
  }

  static async start(lab: Lab, spec: GuestSpec): Promise<Guest> {
    const home = join(lab.home, checkName(spec.name));
    mkdirSync(join(home, "lower"), { recursive: true, mode: 0o700 });
    await makeGuestDisk(home, { name: spec.name, ports: COMMAND_PORTS, files: spec.files });
    // The view of "/" is QEMU's alone and goes away with it. A bind that is not recursive leaves out /proc, /sys and the like.
    const script = 'mount --bind / "$1" && shift && exec "$@"';
    const view = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", join(home, "lower")];
    const qemu = new RunningProcess([...view, ...qemuArgv(home, spec)]);
    const ports: CommandPort[] = [];
    try {
      for (let port = 1; port <= COMMAND_PORTS; port += 1) ports.push(await openPort(qemu, commandSocket(home, port)));
      const guest = new Guest(home, spec.name, { qemu, ports });
      await guest.#untilUp();
      return guest;
    } catch (cause) {
      for (const port of ports) port.close();
      await qemu.stop("SIGKILL");
      throw new LabError(`guest ${spec.name} did not boot: ${qemu.output}\n${consoleOf(home)}`, { cause });
    }
  }

  async close(): Promise<void> {
    for (const port of this.#ports) port.close();
    await this.#qemu.stop("SIGKILL");
  }

  /** Runs a command as root in the guest. */
  exec(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const port = this.#ports[(this.#next += 1) % COMMAND_PORTS];
    if (port === undefined) throw new LabError(`guest ${this.name} has no port`);
    return port.run(argv, options);
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

  /** Whole or not at all. For small files: a large one belongs on the disk before it boots. */
  async writeFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await this.must(["sh", "-c", WRITE_FILE, "sh", path, mode.toString(8)], { input: content });
  }

  /** Plugs the cable of a card in or out: the guest sees its carrier. */
  setCable(card: string, plugged: boolean): Promise<void> {
    return qmp(join(this.#home, "qmp"), "set_link", { name: card, up: plugged });
  }

  /** In order, as an administrator does it: what is on its disk stays, its kernel is a new one. */
  async reboot(): Promise<void> {
    const boot = await this.must(BOOT_ID);
    await this.must(["systemd-run", "--no-block", "systemctl", "reboot"]);
    const isAnother = async (): Promise<boolean> => {
      // A command that the boot cuts off has no answer.
      const asked = await this.exec(BOOT_ID, { timeoutMs: 5_000 }).catch(() => null);
      return asked?.code === 0 && asked.stdout !== boot;
    };
    await until(() => `guest ${this.name} to be up again: ${consoleOf(this.#home)}`, isAnother, BOOT_PATIENCE_MS);
    await this.#untilUp();
  }

  async #untilUp(): Promise<void> {
    const argv = ["systemctl", "is-system-running", "--wait"];
    const { stdout } = await this.exec(argv, { timeoutMs: BOOT_PATIENCE_MS });
    if (!/running|degraded/.test(stdout)) throw new LabError(`guest ${this.name} is ${stdout.trim()}`);
  }
}

function commandSocket(home: string, port: number): string {
  return join(home, `port${String(port)}`);
}

function consoleOf(home: string): string {
  try {
    return readFileSync(join(home, "console"), "utf8").slice(-3_000);
  } catch {
    return "";
  }
}

type Option = readonly [name: string, value: string];

function qemuArgv(home: string, spec: GuestSpec): readonly string[] {
  const switches = [...new Set(spec.cards)];
  const options: readonly Option[] = [
    ["-name", spec.name],
    ["-display", "none"],
    ["-machine", "q35,vmport=off"],
    ...(hasKvm() ? KVM : EMULATION),
    ["-smp", String(PROCESSORS)],
    ["-m", String(MEMORY_MB)],
    ["-kernel", STOCK_KERNEL.vmlinuz],
    ["-initrd", STOCK_KERNEL.initrd],
    ["-append", "console=ttyS0 quiet panic=5"],
    ["-serial", `file:${join(home, "console")}`],
    ...sharedFolder("lower", join(home, "lower"), ",multidevs=remap"),
    ...sharedFolder("layer", STOCK_KERNEL.layer, ""),
    // "unsafe" leaves out the guest's flushes to this machine's disk, not its writes.
    ["-drive", `file=${join(home, "disk")},format=raw,if=none,id=disk,cache=unsafe,discard=unmap`],
    ["-device", "virtio-blk-pci,drive=disk"],
    ["-device", "virtio-rng-pci"],
    ["-device", "virtio-serial-pci,max_ports=8"],
    ...Array.from({ length: COMMAND_PORTS }, (_, index) => commandPort(home, index + 1)).flat(),
    ["-chardev", `socket,id=qmp,path=${join(home, "qmp")},server=on,wait=off`],
    ["-mon", "chardev=qmp,mode=control"],
    ...spec.cards.flatMap((word, index) => networkCard(spec.name, index, switches.indexOf(word))),
  ];
  return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", ...options.flat()];
}

/** Of this machine, read only. */
function sharedFolder(tag: string, path: string, more: string): readonly Option[] {
  return [
    ["-fsdev", `local,id=${tag},path=${path},security_model=passthrough,readonly=on${more}`],
    ["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

function commandPort(home: string, port: number): readonly Option[] {
  const id = `x${String(port)}`;
  return [
    ["-chardev", `socket,id=${id},path=${commandSocket(home, port)},server=on,wait=off`],
    ["-device", `virtserialport,nr=${String(port)},chardev=${id},name=commands.${String(port)}`],
  ];
}

function networkCard(name: string, index: number, hub: number): readonly Option[] {
  const id = String(index);
  return [
    ["-netdev", `hubport,id=n${id},hubid=${String(hub)}`],
    ["-device", `virtio-net-pci,netdev=n${id},id=eth${id},mac=${macOf(name, index)}`],
  ];
}

const KVM: readonly Option[] = [
  ["-accel", "kvm"],
  ["-cpu", "host"],
];
const EMULATION: readonly Option[] = [
  ["-accel", "tcg,thread=multi,tb-size=256"],
  ["-cpu", "max"],
];

/** /dev/kvm alone proves nothing: where this machine is itself a guest it may be there, and be slower than emulation. */
function hasKvm(): boolean {
  try {
    accessSync("/dev/kvm", constants.W_OK);
    return /\b(?:vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

function macOf(name: string, index: number): string {
  const digits = createHash("sha256")
    .update(`${name}/${String(index)}`)
    .digest("hex");
  return ["02", ...[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2))].join(":");
}

async function openPort(qemu: RunningProcess, path: string): Promise<CommandPort> {
  let port: CommandPort | undefined;
  await until(
    () => `QEMU's socket ${path}: ${qemu.output}`,
    async () => {
      if (qemu.end !== undefined) throw new LabError(`QEMU ended: ${qemu.output}`);
      port = await CommandPort.open(path).catch(() => undefined);
      return port !== undefined;
    },
    QEMU_PATIENCE_MS,
  );
  if (port === undefined) throw new LabError("QEMU has no port");
  return port;
}

/** One command to QEMU itself. */
function qmp(path: string, execute: string, values: Readonly<Record<string, unknown>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const send = (message: object): boolean => socket.write(`${JSON.stringify(message)}\n`);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("connect", () => {
      send({ execute: "qmp_capabilities" });
      send({ execute, arguments: values, id: "asked" });
    });
    socket.on("data", (data: string) => {
      text += data;
      const answer = text.split("\n").find((line) => line.includes('"id": "asked"'));
      if (answer === undefined) return;
      socket.destroy();
      if (answer.includes('"error"')) reject(new LabError(`QEMU refused ${execute}: ${answer}`));
      else resolve();
    });
  });
}
