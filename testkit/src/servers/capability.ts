import { accessSync, constants, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cgroupTrees } from "./cgroup.ts";
import { run } from "./child.ts";
import { LAB_DIRECTORY } from "./lab.ts";
import { findCommand } from "./machine.ts";
import { MOUNT_OVERLAY } from "./overlay.ts";

export interface Capability {
  readonly systemd: boolean;
  readonly plain: boolean;
  /** What is missing and what to do about it; empty when nothing is. */
  readonly reason: string;
}

const PLAIN_COMMANDS = {
  ip: "iproute2",
  bridge: "iproute2",
  nft: "nftables",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  sysctl: "procps",
  ping: "iputils-ping",
  bash: "bash",
} as const;

/** Which kinds of server this machine can run, found by trying what they need. Leaves nothing behind. */
export async function canRunServers(directory: string = LAB_DIRECTORY): Promise<Capability> {
  if (process.getuid?.() !== 0)
    return { systemd: false, plain: false, reason: "servers need root: run as root or with sudo" };
  const missing = Object.entries(PLAIN_COMMANDS).filter(([command]) => findCommand(command) === undefined);
  if (missing.length > 0) {
    return {
      systemd: false,
      plain: false,
      reason: `missing commands: ${missing.map(([command, source]) => `${command} (package ${source})`).join(", ")}`,
    };
  }
  const refused = await tryNamespaces(directory);
  if (refused !== undefined) return { systemd: false, plain: false, reason: refused };
  const lacking = lackingForSystemd();
  return { systemd: lacking === undefined, plain: true, reason: lacking ?? "" };
}

async function tryNamespaces(directory: string): Promise<string | undefined> {
  const home = join(directory, `.trial.${String(process.pid)}`);
  try {
    for (const part of ["upper", "work", "root"]) mkdirSync(join(home, part), { recursive: true, mode: 0o700 });
    const script = `set -e; ${MOUNT_OVERLAY}; ip link add trial0 type veth peer name trial1; ip link add trial2 type bridge; nft add table inet trial; test -e "$1/root/bin/sh"`;
    const result = await run([
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "--net",
      "--uts",
      "--ipc",
      "--pid",
      "--fork",
      "--kill-child",
      "sh",
      "-c",
      script,
      "sh",
      home,
    ]);
    return result.code === 0
      ? undefined
      : `this machine refuses namespaces, an overlay of "/" in ${directory}, veth, bridges or nftables: ${result.stderr.trim()}`;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function lackingForSystemd(): string | undefined {
  if (findCommand("systemd-nspawn") === undefined)
    return "systemd servers need systemd-nspawn (package systemd-container)";
  const trees = cgroupTrees();
  if (trees.length === 0) return "systemd servers need control groups mounted at /sys/fs/cgroup";
  try {
    for (const tree of trees) accessSync(tree, constants.W_OK);
    return undefined;
  } catch {
    return "systemd servers need control groups that can be written: /sys/fs/cgroup is read-only here";
  }
}
