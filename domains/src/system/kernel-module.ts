import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** Modules of the kernel: which are loaded at boot, and which never. */
export const LOAD_FILE = "/etc/modules-load.d/95-holdfast.conf";
export const BLOCK_FILE = "/etc/modprobe.d/95-holdfast.conf";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

/** Without these a server is out of reach, or does not find its disks: they are not kept from loading. */
const NEVER_BLOCKED =
  /^(ext4|xfs|btrfs|vfat|overlay|dm_.*|raid.*|nvme.*|ahci|sd_mod|virtio.*|vmw_.*|hv_.*|xen.*|e1000e?|igb|ixgbe|i40e|bnxt_en|mlx.*|tg3|ena|nf_tables|nft_.*|nf_conntrack)$/;

/** Written with `_`, as the kernel itself does; `-` would be a second name of the same. */
export function parseModuleName(text: string): Result<string, string> {
  return /^[a-z0-9][a-z0-9_]{0,55}$/.test(text)
    ? ok(text)
    : err(
        `${JSON.stringify(text.slice(0, 60))} is not the name of a kernel module; write it with _, like br_netfilter`,
      );
}

export function parseBlockedModule(text: string): Result<string, string> {
  if (NEVER_BLOCKED.test(text)) return err(`${text} may be what this server stands on, and is not kept from loading`);
  return parseModuleName(text);
}

export function loadText(names: readonly string[]): string {
  return `${[HEAD, ...names].join("\n")}\n`;
}

/** `blacklist` keeps hardware from asking for it, `install` everybody else (modprobe.d(5)). */
export function blockText(names: readonly string[]): string {
  const lines = names.flatMap((name) => [`blacklist ${name}`, `install ${name} /bin/false`]);
  return `${[HEAD, ...lines].join("\n")}\n`;
}

export function parseLoadText(text: string): Result<readonly string[], string> {
  const lines = ownLines(text);
  if (lines === null) return err("this is no list of modules of ours");
  const wrong = lines.find((line) => !parseModuleName(line).ok);
  return wrong === undefined ? ok(lines) : err(`${JSON.stringify(wrong.slice(0, 60))} is no module`);
}

export function parseBlockText(text: string): Result<null, string> {
  const lines = ownLines(text);
  if (lines === null) return err("this is no list of modules of ours");
  const wrong = lines.find((line) => {
    const name = /^(?:blacklist (\S+)|install (\S+) \/bin\/false)$/
      .exec(line)
      ?.slice(1)
      .find((one) => one !== undefined);
    return name === undefined || !parseBlockedModule(name).ok;
  });
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 60))} keeps no module from loading`);
}

function ownLines(text: string): readonly string[] | null {
  const [head, ...lines] = text.split("\n");
  return head === HEAD && lines.pop() === "" ? lines : null;
}
