import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { missingCapabilities } from "../kernel-requirements.ts";
import { REPOSITORY_ROOT } from "../repository.ts";
import { findCommand } from "../servers/machine.ts";

/** What deploy/dev/stock-kernel.sh has made. */
const HOME = join(REPOSITORY_ROOT, ".tools/stock-kernel");
export const STOCK_KERNEL = {
  vmlinuz: join(HOME, "vmlinuz"),
  initrd: join(HOME, "initrd"),
  /** Modules and udev, laid over the guest's root. */
  layer: join(HOME, "layer"),
} as const;

const COMMANDS = {
  "qemu-system-x86_64": "qemu-system-x86",
  mke2fs: "e2fsprogs",
  "charon-systemd": "charon-systemd",
  swanctl: "strongswan-swanctl",
} as const;

/** Why no guest with a stock kernel can run here, in words for the test report; undefined: it can. */
export function whyNoGuests(): string | undefined {
  const rights = missingCapabilities(readFileSync("/proc/self/status", "utf8"));
  if (rights !== undefined) return `a stock kernel in QEMU ${rights}`;
  const missing = Object.entries(COMMANDS).filter(([command]) => findCommand(command) === undefined);
  if (missing.length > 0)
    return `a stock kernel in QEMU needs ${missing.map(([command, from]) => `${command} (package ${from})`).join(", ")}`;
  return existsSync(join(HOME, "ready"))
    ? undefined
    : "a stock kernel in QEMU needs Debian's kernel: deploy/dev/stock-kernel.sh fetches it";
}
