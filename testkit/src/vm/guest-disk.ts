import { randomUUID } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { must } from "../servers/child.ts";
import { nodeBinary } from "../servers/machine.ts";
import { notInherited } from "../servers/overlay.ts";

/** The disk of a guest: what lies over this machine's "/" there. Everything on it is put there before it boots. */

export interface GuestFile {
  readonly content: string | Uint8Array;
  readonly mode?: number;
}

/** Where the Node of this checkout is in a guest: read from the guest's own disk, which is quicker than this machine's through QEMU. */
export const GUEST_NODE = "/usr/lib/holdfast-lab/node";
const SERVE_COMMANDS = "/usr/lib/holdfast-lab/serve-commands";
/** Sparse: what is never written takes no room. */
const DISK_SIZE = "2G";
const MAKE_TIMEOUT_MS = 120_000;

export async function makeGuestDisk(
  home: string,
  spec: { readonly name: string; readonly ports: number; readonly files: Readonly<Record<string, GuestFile>> },
): Promise<string> {
  const seed = join(home, "seed");
  const upper = join(seed, "upper");
  rmSync(seed, { recursive: true, force: true });
  for (const folder of ["work", "plain"]) mkdirSync(join(seed, folder), { recursive: true });
  const put = (path: string, { content, mode }: GuestFile): void => {
    const at = join(isPlain(path) ? join(seed, "plain") : upper, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode ?? 0o644);
  };
  // Each is a whiteout of overlayfs.
  const theirs = notInherited().flatMap((path) =>
    path === NETWORK_FILES ? readdirSync(path).map((file) => join(path, file)) : [path],
  );
  for (const path of theirs.filter((one) => !isPlain(`${one}/`))) {
    mkdirSync(dirname(join(upper, path)), { recursive: true });
    await must(["mknod", join(upper, path), "c", "0", "0"]);
  }
  const machineId = randomUUID().replaceAll("-", "");
  const own: Readonly<Record<string, GuestFile>> = {
    "/etc/fstab": { content: "" },
    "/etc/hostname": { content: `${spec.name}\n` },
    "/etc/hosts": { content: `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n` },
    // An empty one would be filled from this machine's D-Bus id, and all guests' bonds would have the same address.
    "/etc/machine-id": { content: `${machineId}\n` },
    "/var/lib/dbus/machine-id": { content: `${machineId}\n` },
    [`${NETWORK_FILES}/99-default.link`]: { content: KERNEL_NAMES },
    "/usr/lib/systemd/system/lab-commands@.service": { content: COMMANDS_UNIT },
    // A journal of its own that outlives a boot.
    "/var/log/journal/.keep": { content: "" },
  };
  for (const [path, file] of Object.entries({ ...own, ...spec.files })) put(path, file);
  const lab = join(upper, dirname(GUEST_NODE));
  mkdirSync(lab, { recursive: true });
  copyFileSync(nodeBinary, join(upper, GUEST_NODE));
  copyFileSync(join(import.meta.dirname, "inside/serve-commands.sh"), join(upper, SERVE_COMMANDS));
  for (const path of [GUEST_NODE, SERVE_COMMANDS]) chmodSync(join(upper, path), 0o755);
  const wants = join(upper, "usr/lib/systemd/system/sysinit.target.wants");
  mkdirSync(wants, { recursive: true });
  for (let port = 1; port <= spec.ports; port += 1)
    symlinkSync("../lab-commands@.service", join(wants, `lab-commands@${String(port)}.service`));
  const disk = join(home, "disk");
  const argv = ["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", seed, disk, DISK_SIZE];
  await must(argv, { timeoutMs: MAKE_TIMEOUT_MS });
  rmSync(seed, { recursive: true });
  return disk;
}

/** Folders of the guest's own, without this machine's below them: initrd's list in deploy/dev/stock-kernel.sh. */
function isPlain(path: string): boolean {
  return ["/root/", "/var/tmp/", "/var/lib/holdfast/"].some((folder) => path.startsWith(folder));
}

const NETWORK_FILES = "/etc/systemd/network";
/** eth0, eth1 and so on, in the order in which QEMU has them. */
const KERNEL_NAMES = `[Match]
OriginalName=*
[Link]
NamePolicy=keep kernel
MACAddressPolicy=persistent
`;
/** Early and without the usual dependencies, so that a guest whose boot hangs can still be asked why. */
const COMMANDS_UNIT = `[Unit]
Description=commands of the test, port %i
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
[Service]
ExecStart=${SERVE_COMMANDS} %i
Restart=always
RestartSec=1
TasksMax=infinity
`;
