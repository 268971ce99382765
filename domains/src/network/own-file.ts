/**
 * Our files of networkd: `ROLE.network`, `ROLE.netdev` and `forwarding.conf`. On trial they lie in /run, where a reboot forgets them, under
 * names that sort before the confirmed ones in /etc, so that networkd takes them first.
 */
export const TRIAL_PREFIX = "/run/systemd/network/04-holdfast-";
export const CONFIRMED_PREFIX = "/etc/systemd/network/05-holdfast-";
/** Kernel settings are read at boot from a folder of their own. */
export const FORWARDING_FILE = "forwarding.conf";
const CONFIRMED_FORWARDING = "/etc/sysctl.d/95-holdfast-network.conf";

/** Name, as in `wan.network`, to text. */
export type OwnFiles = { readonly [name: string]: string };

export function trialPath(name: string): string {
  return `${TRIAL_PREFIX}${name}`;
}

export function confirmedPath(name: string): string {
  return name === FORWARDING_FILE ? CONFIRMED_FORWARDING : `${CONFIRMED_PREFIX}${name}`;
}

/** What counts now: a file on trial wins over the confirmed one of its name. */
export function inForce(own: { readonly run: OwnFiles; readonly etc: OwnFiles }): OwnFiles {
  return { ...own.etc, ...own.run };
}

export type Section = { readonly name: string; readonly lines: readonly (readonly [key: string, value: string])[] };

export type OwnFile = {
  readonly sections: readonly Section[];
  /** What was there before us, from remarks of ours: `found MTU 1500`. */
  readonly found: Readonly<Record<string, string>>;
};

const HEADER = "# Written by Holdfast. What is changed here is overwritten.";

/** The one text of a file. Values hold no line breaks: everything that becomes one has passed a parser. */
export function printOwnFile(file: OwnFile): string {
  const remarks = Object.entries(file.found)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, value]) => `# found ${what} ${value}`);
  const sections = file.sections
    .filter((section) => section.lines.length > 0)
    .map(({ name, lines }) => ["", `[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`)]);
  return `${[HEADER, ...remarks, ...sections.flat()].join("\n")}\n`;
}

/** Reads what `printOwnFile` wrote. What somebody else wrote into our file is passed over: its text differs, and that is what is seen. */
export function readOwnFile(text: string): OwnFile {
  const found: Record<string, string> = {};
  const sections: { name: string; lines: (readonly [string, string])[] }[] = [];
  for (const line of text.split("\n")) {
    const remark = /^# found (\S+) (\S+)$/.exec(line);
    if (remark !== null) found[remark[1] ?? ""] = remark[2] ?? "";
    const head = /^\[([A-Za-z0-9]+)\]$/.exec(line);
    if (head !== null) sections.push({ name: head[1] ?? "", lines: [] });
    const pair = /^([A-Za-z0-9]+)=(.*)$/.exec(line);
    if (pair !== null) sections.at(-1)?.lines.push([pair[1] ?? "", pair[2] ?? ""]);
  }
  return { sections, found };
}

/** The value of a key that stands once, in the first section of that name. */
export function valueIn(file: OwnFile, section: string, key: string): string | undefined {
  return file.sections.find((one) => one.name === section)?.lines.find(([name]) => name === key)?.[1];
}
