import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import { parseDnsName } from "./hostname.ts";

/**
 * Our lines in /etc/hosts. They stand at the head: there they win over what others write below, and taking them away leaves the rest of the
 * file byte for byte as it was.
 */
const BEGIN = "# Holdfast: the lines down to the next mark are made from a policy; changes here are overwritten.";
const END = "# Holdfast: end";

/** Name to addresses, both in canonical order and form. */
export function hostsBlock(hosts: Readonly<Record<string, readonly string[]>>): string | null {
  const names = Object.keys(hosts).toSorted();
  const lines = names.flatMap((name) => (hosts[name] ?? []).map((address) => `${address}\t${name}`));
  return lines.length === 0 ? null : `${[BEGIN, ...lines, END].join("\n")}\n`;
}

/** Null: there is none. */
export function foundHostsBlock(text: string): string | null {
  if (!text.startsWith(`${BEGIN}\n`)) return null;
  const end = text.indexOf(`\n${END}\n`);
  return end === -1 ? null : text.slice(0, end + END.length + 2);
}

export function withoutHostsBlock(text: string): string {
  return text.slice(foundHostsBlock(text)?.length ?? 0);
}

/** Whether a text is such a block and nothing else. */
export function parseHostsBlock(text: string): Result<null, string> {
  if (foundHostsBlock(text) !== text) return err("these are not lines of ours for /etc/hosts");
  for (const line of text.split("\n").slice(1, -2)) {
    const [address = "", name = "", ...rest] = line.split("\t");
    if (rest.length > 0 || !parseAddress(address).ok || !parseDnsName(name).ok)
      return err(`${JSON.stringify(line.slice(0, 80))} is not an address and a name`);
  }
  return ok(null);
}

/** What the rest of the file says of names, first line first. */
export function foreignHosts(
  text: string,
): readonly { readonly name: string; readonly address: string; readonly line: number }[] {
  const skipped = (foundHostsBlock(text) ?? "").split("\n").length - 1;
  return withoutHostsBlock(text)
    .split("\n")
    .flatMap((raw, index) => {
      const [address = "", ...names] = (raw.split("#")[0] ?? "").trim().split(/\s+/);
      return address === "" ? [] : names.map((name) => ({ name, address, line: skipped + index + 1 }));
    });
}
