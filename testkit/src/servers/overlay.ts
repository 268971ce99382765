import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { release as kernelRelease } from "node:os";
import { isAbsolute, join } from "node:path";
import { must, run, type CommandOptions, type CommandResult } from "./child.ts";
import { LabError } from "./lab-error.ts";
import { claim, orphans, release } from "./owner.ts";

/**
 * A server's disk: an overlay whose lower layer is this machine's "/" and whose upper layer is in the lab's home.
 * It is mounted only in private mount namespaces, so the machine's mount table never shows it, and it outlives reboots and power cuts.
 */
export interface Overlay {
  readonly home: string;
  readonly root: string;
  readonly machineId: string;
}

export interface DiskSpec {
  readonly hostname: string;
  /** Units that start at boot, besides what systemd itself brings. Everything this machine has enabled is disabled on the server. */
  readonly enable: readonly string[];
  /** Path and content of files in /etc, such as network units. */
  readonly files: Readonly<Record<string, string>>;
}

/** The mount that both booting and offline work use. $1 is the home. */
export const MOUNT_OVERLAY = 'mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"';

/** What a server must not inherit where this machine is itself a managed server, or configures its own network by files. */
const NOT_INHERITED = [
  "/etc/holdfast",
  "/var/lib/holdfast",
  "/var/log/holdfast",
  "/etc/systemd/network",
  "/run/holdfast",
] as const;
const LOWER_UNITS = "/etc/systemd/system";

/** Written last: a disk without it was left half made and is made again. */
const MADE = "disk.json";

/** The disk in this directory, made when there is none yet. */
export async function openOverlay(home: string, spec: DiskSpec): Promise<Overlay> {
  const machineId = machineIdOf(home);
  if (machineId !== undefined) return { home, root: join(home, "root"), machineId };
  for (const part of ["upper", "work", "root"]) rmSync(join(home, part), { recursive: true, force: true });
  const overlay = await makeOverlay(home, spec);
  writeFileSync(join(home, MADE), JSON.stringify({ machineId: overlay.machineId }));
  return overlay;
}

function machineIdOf(home: string): string | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(home, MADE), "utf8"));
    return typeof value === "object" && value !== null && "machineId" in value && typeof value.machineId === "string"
      ? value.machineId
      : undefined;
  } catch {
    return undefined;
  }
}

/** A kept disk belongs to one lab at a time: two mounts of one upper layer destroy it. */
const DISK_CLAIM = "in-use";

export function claimDisk(home: string): void {
  if (/[^A-Za-z0-9_./-]/.test(home) || !isAbsolute(home)) {
    throw new LabError(
      `disk directory "${home}": expected an absolute path of letters, digits, "_", ".", "-" and "/", because it becomes a mount option`,
    );
  }
  if (orphans(home).includes(DISK_CLAIM)) release(home, DISK_CLAIM);
  claim(home, DISK_CLAIM);
}

export function releaseDisk(home: string): void {
  release(home, DISK_CLAIM);
}

/** What every server says is built into its kernel. */
export const BUILT_IN_FOR_TESTS = "built_in_for_tests";

async function makeOverlay(home: string, spec: DiskSpec): Promise<Overlay> {
  for (const part of ["upper", "work", "root"]) mkdirSync(join(home, part), { recursive: true, mode: 0o755 });
  const machineId = randomUUID().replaceAll("-", "");
  const upper = join(home, "upper");
  const modules = `/usr/lib/modules/${kernelRelease()}`;
  const files: Readonly<Record<string, string>> = {
    // A kernel without modules has no such folder, and nobody would notice whom a unit's walls keep from it.
    [`${modules}/modules.builtin`]: `kernel/lib/${BUILT_IN_FOR_TESTS}.ko\n`,
    [`${modules}/modules.dep`]: "",
    // networkd derives MAC addresses and DHCP identities from it: two servers must never share one.
    "/etc/machine-id": `${machineId}\n`,
    "/etc/fstab": "",
    "/etc/hostname": `${spec.hostname}\n`,
    "/etc/hosts": `127.0.0.1 localhost\n127.0.1.1 ${spec.hostname}\n::1 localhost ip6-localhost\n`,
  };
  for (const [path, content] of Object.entries(files)) {
    makeLike(upper, path.slice(0, path.lastIndexOf("/")));
    writeFileSync(join(upper, path), content);
  }
  // With this directory journald keeps the logs of earlier boots.
  makeLike(upper, "/var/log/journal");
  const overlay: Overlay = { home, root: join(home, "root"), machineId };
  await offline(overlay, ["rm", "-rf", "--", ...notInherited()]);
  for (const [path, content] of Object.entries(spec.files)) await writeOffline(overlay, path, content);
  if (spec.enable.includes("ssh")) {
    // A key of its own; Debian's unit refuses to start without any.
    await offline(overlay, [
      "sh",
      "-c",
      "rm -f /etc/ssh/ssh_host_*; exec ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key",
    ]);
  }
  if (spec.enable.length > 0)
    await offline(overlay, ["systemctl", "--quiet", "enable", ...spec.enable], { env: { SYSTEMD_OFFLINE: "1" } });
  return overlay;
}

/** Directories made in the upper layer stand in for those below: they take their owner and mode. */
function makeLike(upper: string, path: string): void {
  let at = "";
  for (const part of path.split("/").filter((word) => word !== "")) {
    at += `/${part}`;
    const made = join(upper, at);
    if (existsSync(made)) continue;
    mkdirSync(made);
    if (!existsSync(at)) continue;
    const below = statSync(at);
    chownSync(made, below.uid, below.gid);
    chmodSync(made, below.mode & 0o7777);
  }
}

/** What of this machine's disk a server must not find on its own. */
export function notInherited(): readonly string[] {
  return [...NOT_INHERITED.filter((path) => existsSync(path)), ...enabledHere(), ...initScripts()];
}

/** What `systemctl enable` and `set-default` have made on this machine. Taking them away leaves each unit startable by hand. */
function enabledHere(): readonly string[] {
  return list(LOWER_UNITS)
    .filter((entry) => entry === "default.target" || /\.(wants|requires|upholds)$/.test(entry))
    .map((entry) => join(LOWER_UNITS, entry));
}

/** Links of System V scripts, from which systemd would generate units that start at boot. */
function initScripts(): readonly string[] {
  return ["2", "3", "4", "5", "S"].flatMap((level) =>
    list(`/etc/rc${level}.d`)
      .filter((entry) => entry.startsWith("S"))
      .map((entry) => `/etc/rc${level}.d/${entry}`),
  );
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Runs a command on the disk of a server that is off. Never while it is on: two mounts of one upper layer destroy it. */
export async function offline(
  overlay: Overlay,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return must(offlineArgv(overlay, argv), options);
}

export function tryOffline(
  overlay: Overlay,
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run(offlineArgv(overlay, argv), options);
}

function offlineArgv(overlay: Overlay, argv: readonly string[]): readonly string[] {
  const script = `set -e; ${MOUNT_OVERLAY}; root=$1/root; mount --bind /dev "$root/dev"; shift; exec chroot "$root" "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", overlay.home, ...argv];
}

/** Whole or not at all, with the directories above it. $1 path, $2 mode; content on standard input. */
export const WRITE_FILE =
  'set -e; mkdir -p -- "$(dirname -- "$1")"; umask 077; cat >"$1.lab-new"; chmod "$2" "$1.lab-new"; mv -f -- "$1.lab-new" "$1"';

async function writeOffline(overlay: Overlay, path: string, content: string): Promise<void> {
  await offline(overlay, ["sh", "-c", WRITE_FILE, "sh", path, "644"], { input: content });
}
