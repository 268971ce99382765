import { existsSync } from "node:fs";
import type { ProcessEnd } from "./child.ts";
import { namespacePath } from "./network-namespace.ts";
import { MOUNT_OVERLAY, type Overlay } from "./overlay.ts";
import { childrenOf, innermostPid } from "./process-table.ts";

/**
 * systemd: a whole Debian userland with systemd as PID 1, in a container.
 * plain: the same disk, network, process and host-name isolation with a reaper as PID 1, for machines where systemd cannot be nested.
 */
export type ServerKind = "systemd" | "plain";

export interface BootSpec {
  readonly name: string;
  readonly overlay: Overlay;
  readonly namespace: string;
  /** Files into which the first process writes its pid to join the server's control groups. */
  readonly groups: readonly string[];
  /** Paths of this machine that the server sees read-only. */
  readonly visible: readonly string[];
  /** Directories that the server sees empty: the disks of others, the keys of a control plane. */
  readonly hidden: readonly string[];
}

export interface KindOfServer {
  readonly argv: (spec: BootSpec) => readonly string[];
  readonly asksForReboot: (end: ProcessEnd) => boolean;
  /** Signals to PID 1 for an orderly end. */
  readonly reboot: number | "SIGTERM";
  readonly poweroff: number | "SIGTERM";
}

/** glibc's SIGRTMIN; systemd(1) takes +4 as poweroff and +5 as reboot. */
const SIGRTMIN = 34;
/** What systemd-nspawn returns when the container asked for a reboot (its EXIT_FORCE_RESTART). */
const NSPAWN_REBOOT = 133;

export const kindsOfServer = {
  systemd: {
    argv: systemdArgv,
    asksForReboot: (end) => end.code === NSPAWN_REBOOT,
    reboot: SIGRTMIN + 5,
    poweroff: SIGRTMIN + 4,
  },
  plain: {
    argv: plainArgv,
    // reboot(2) in a pid namespace ends its first process with SIGHUP, poweroff with SIGINT (reboot(2)).
    asksForReboot: (end) => end.signal === "SIGHUP" || end.code === 129,
    reboot: "SIGTERM",
    poweroff: "SIGTERM",
  },
} satisfies Record<ServerKind, KindOfServer>;

/**
 * Root in a server could otherwise set this machine's clock, load its modules or touch its devices: the container drops these
 * itself, commands that enter it from outside have them taken away.
 */
export const WITHOUT_MACHINE_RIGHTS = [
  "setpriv",
  "--bounding-set=-sys_time,-sys_module,-sys_rawio,-mac_admin,-mac_override,-wake_alarm,-block_suspend,-syslog",
] as const;

/** PID 1 of the server among the children of the process that we started. */
export function findInit(launcher: number): number | undefined {
  return childrenOf(launcher).find((pid) => innermostPid(pid) === 1);
}

const JOIN_GROUPS = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift';
const PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation", "private"] as const;

function systemdArgv(spec: BootSpec): readonly string[] {
  const { home, root } = spec.overlay;
  // /run/systemd/nspawn is covered so that this machine's list of containers and its locks stay as they are.
  const script = `set -e; mkdir -p /run/systemd/nspawn; mount -t tmpfs tmpfs /run/systemd/nspawn; ${MOUNT_OVERLAY}; shift; ${JOIN_GROUPS}; exec "$@"`;
  return [
    ...PRIVATE_MOUNTS,
    "sh",
    "-c",
    script,
    "sh",
    home,
    ...spec.groups,
    "--",
    "systemd-nspawn",
    "--quiet",
    "--directory",
    root,
    `--machine=${spec.name}`,
    "--boot",
    "--register=no",
    "--keep-unit",
    `--network-namespace-path=${namespacePath(spec.namespace)}`,
    "--capability=CAP_NET_ADMIN",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--console=pipe",
    ...spec.visible.map((path) => `--bind-ro=${path}`),
    ...spec.hidden.map((path) => `--tmpfs=${path}:mode=0700`),
    ...(existsSync("/dev/net/tun") ? ["--bind=/dev/net/tun"] : []),
  ];
}

/** nspawn's own switches: cgroup v2 for the payload, and network sysctls that can be written. */
export const NSPAWN_ENVIRONMENT = {
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
} as const;

/** Reaps what others leave, and on SIGTERM ends everything in order. bash, because a shell reaps children that it never started. */
const REAPER = `
finish() { trap '' TERM; kill -TERM -1; for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 -1 2>/dev/null || break; sleep 0.1; done; exit 0; }
trap finish TERM
while :; do sleep 86400 & wait; done`;

/**
 * The proc file system of a container: the machine's settings read-only, the network's own ones not, and a boot_id of its own for each boot,
 * by which programs know that they run after a boot and not in the middle of their work.
 * $1 home, $2 host name; then control groups, "--", visible paths, "--", hidden paths, "--", command of PID 1.
 */
const PLAIN_BOOT = `set -e
${MOUNT_OVERLAY}
home=$1 name=$2; shift 2; root=$home/root
${JOIN_GROUPS}
printf %s "$name" >/proc/sys/kernel/hostname
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t proc proc "$root/proc"
for part in sys sys/net; do mount --bind "$root/proc/$part" "$root/proc/$part"; done
mount -o remount,bind,ro "$root/proc/sys"
cat /proc/sys/kernel/random/uuid >"$root/run/boot-id"; mount --bind "$root/run/boot-id" "$root/proc/sys/kernel/random/boot_id"
if [ -e "$root/proc/sysrq-trigger" ]; then mount --bind /dev/null "$root/proc/sysrq-trigger"; fi
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
node() { mknod -m 666 "$root/dev/$1" c "$2" "$3"; }
node null 1 3; node zero 1 5; node full 1 7; node random 1 8; node urandom 1 9; node tty 5 0; node net/tun 10 200
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
  mkdir -p "$root$1"; mount --bind "$1" "$root$1"; mount -o remount,bind,ro "$root$1"; shift
done
shift
while [ "$1" != -- ]; do mkdir -p "$root$1"; mount -t tmpfs -o mode=700 tmpfs "$root$1"; shift; done
shift
cd "$root"
mkdir run/machine
pivot_root . run/machine
umount -l run/machine
rmdir run/machine
exec chroot . "$@"`;

function plainArgv(spec: BootSpec): readonly string[] {
  return [
    "nsenter",
    `--net=${namespacePath(spec.namespace)}`,
    ...PRIVATE_MOUNTS,
    "--uts",
    "--ipc",
    "--pid",
    "--fork",
    "--kill-child",
    "sh",
    "-c",
    PLAIN_BOOT,
    "sh",
    spec.overlay.home,
    spec.name,
    ...spec.groups,
    "--",
    ...spec.visible,
    "--",
    ...spec.hidden,
    "--",
    ...WITHOUT_MACHINE_RIGHTS,
    "bash",
    "-c",
    REAPER,
    "lab-init",
  ];
}
