import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";
import { parseTimeOfDay } from "./time-of-day.ts";

/** Our file among those of apt: what is installed by itself. It reads them in the order of their names, and the last that says something wins. */
export const APT_FOLDER = "/etc/apt/apt.conf.d";
export const UPDATES_FILE = `${APT_FOLDER}/95-holdfast.conf`;
/** apt reads it after all files of the folder (apt.conf(5)). */
export const APT_MAIN = "/etc/apt/apt.conf";

export const UPDATES = ["none", "security", "all"] as const;
export const NO_RESTART = "never";

type Updates = NonNullable<SystemConfig["updates"]>;

const HEAD = "// Made by Holdfast from a policy; changes here are overwritten.";
const INSTALLS = "APT::Periodic::Unattended-Upgrade";
const RESTARTS = "Unattended-Upgrade::Automatic-Reboot";
const RESTART_TIME = "Unattended-Upgrade::Automatic-Reboot-Time";
/** Two names of one list, which unattended-upgrades puts together. */
const ORIGINS = "Unattended-Upgrade::Origins-Pattern";
const ORIGINS_TOO = "Unattended-Upgrade::Allowed-Origins";

/** What unattended-upgrades takes from where. Debian's and Ubuntu's own names stand beside each other: what a server has not matches nothing. */
const FROM = {
  none: [],
  security: [
    "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
    "origin=Debian,codename=${distro_codename},label=Debian-Security",
    "origin=Ubuntu,archive=${distro_codename}-security,label=Ubuntu",
    "origin=UbuntuESM,archive=${distro_codename}-infra-security",
    "origin=UbuntuESMApps,archive=${distro_codename}-apps-security",
  ],
  all: ["origin=*"],
} as const satisfies Record<(typeof UPDATES)[number], readonly string[]>;

/** Everything that our file may say, each with its values: what is listed under one name is a list. */
export type AptSettings = Readonly<Record<string, readonly string[]>>;

/** What apt must say, once our file is there. Undefined: a policy says nothing that stands in apt's files. */
export function aptWish({ install, restart }: Updates): AptSettings | undefined {
  if (install === undefined && restart === undefined) return undefined;
  const isInstalling = install !== undefined && install !== "none";
  return {
    ...(install === undefined ? {} : { [INSTALLS]: [isInstalling ? "1" : "0"] }),
    ...(isInstalling
      ? {
          "APT::Periodic::Enable": ["1"],
          "APT::Periodic::Update-Package-Lists": ["1"],
          [ORIGINS_TOO]: [],
          [ORIGINS]: FROM[install],
        }
      : {}),
    ...(restart === undefined ? {} : { [RESTARTS]: [String(restart !== NO_RESTART)] }),
    ...(restart === undefined || restart === NO_RESTART ? {} : { [RESTART_TIME]: [restart] }),
  };
}

const isList = (key: string): boolean => key === ORIGINS || key === ORIGINS_TOO;

export function updatesText(wish: AptSettings): string {
  const lines = Object.entries(wish).flatMap(([key, values]) =>
    isList(key)
      ? [`#clear ${key};`, ...values.map((value) => `${key}:: "${value}";`)]
      : values.map((value) => `${key} "${value}";`),
  );
  return `${[HEAD, ...lines].join("\n")}\n`;
}

const LINE = /^(?:#clear (?<cleared>[A-Za-z:-]+);|(?<key>[A-Za-z:-]+?)(?:::)? "(?<value>[^"\\]*)";)$/;
const VALUES: Readonly<Record<string, (value: string) => boolean>> = {
  "APT::Periodic::Enable": (value) => value === "1",
  "APT::Periodic::Update-Package-Lists": (value) => value === "1",
  [INSTALLS]: (value) => value === "0" || value === "1",
  [ORIGINS]: (value) => [...FROM.security, ...FROM.all].some((one) => one === value),
  [RESTARTS]: (value) => value === "true" || value === "false",
  [RESTART_TIME]: (value) => parseTimeOfDay(value).ok,
};

/** Whether a text could be ours. apt's files may also name programs that apt runs as root: none of those passes. */
export function parseUpdatesText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no text of ours for apt");
  const wrong = lines.find((line) => {
    const { cleared, key, value } = LINE.exec(line)?.groups ?? {};
    if (cleared !== undefined) return !isList(cleared);
    return key === undefined || value === undefined || !Object.hasOwn(VALUES, key) || VALUES[key]?.(value) !== true;
  });
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 80))} is no line of ours for apt`);
}

/** A text of ours on one line; one that somebody has changed is counted, the diff shows it. */
export function updatesWords(text: string): string {
  if (!parseUpdatesText(text).ok) return `${text.split("\n").length - 1} lines`;
  const valueOf = (key: string): string | undefined => new RegExp(`^${key} "(.*)";$`, "m").exec(text)?.[1];
  const what = text.includes(FROM.all[0]) ? "all updates" : "security updates";
  const [installs, restarts] = [valueOf(INSTALLS), valueOf(RESTARTS)];
  return [
    ...(installs === undefined ? [] : [installs === "0" ? "nothing" : what]),
    ...(restarts === undefined ? [] : [restarts === "true" ? `a restart at ${valueOf(RESTART_TIME)}` : "no restart"]),
  ].join(", ");
}

/** What `apt-config dump` says of those settings that could be ours, in our spelling: it keeps the one of the file that says them first. */
export function parseAptDump(text: string): AptSettings {
  const settings: Record<string, string[]> = {};
  for (const line of text.split("\n")) {
    const [, written = "", value = ""] = /^(\S+) "(.*)";$/.exec(line) ?? [];
    const key = written.toLowerCase();
    const list = [ORIGINS, ORIGINS_TOO].find((one) => key.startsWith(`${one.toLowerCase()}::`));
    const single = Object.keys(VALUES).find((one) => key === one.toLowerCase());
    if (list !== undefined) (settings[list] ??= []).push(value);
    else if (single !== undefined && !isList(single)) settings[single] = [value];
  }
  return settings;
}

/** Which files of its folder apt reads (apt.conf(5)); it passes over the others, like those that dpkg keeps from before. */
export function isReadByApt(name: string): boolean {
  return /^[A-Za-z0-9_-]+(?:\.conf)?$/.test(name) || (/^[A-Za-z0-9_.-]+\.conf$/.test(name) && !name.startsWith("."));
}

/** What of a wish apt does not say, in words; null: all of it is so. */
export function aptProblem(wish: AptSettings, said: AptSettings): string | null {
  const wrong = Object.entries(wish).find(([key, values]) => values.join("\n") !== (said[key] ?? []).join("\n"));
  return wrong === undefined ? null : `${wrong[0]} is ${(said[wrong[0]] ?? []).join(", ") || "not set"}`;
}

/** One setting of a file of apt's, where it stands. */
export type AptLine = { readonly path: string; readonly line: number; readonly key: string };

/** A setting begins with its name; what stands in braces belongs to the name before them (apt.conf(5)). */
const TOKEN = /\/\/[^\n]*|\/\*[^]*?\*\/|#(?!clear\b|include\b)[^\n]*|"[^"\n]*"|[{};]|[^\s{};"]+/g;

/** Names that a file gives a value, in the order in which it does. */
export function aptLines(path: string, text: string): readonly AptLine[] {
  const lines: AptLine[] = [];
  const scopes: string[] = [];
  let name = "";
  let hasValue = false;
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    if (token.startsWith("//") || token.startsWith("/*") || /^#(?!clear|include)/.test(token)) continue;
    if (token === "{") {
      scopes.push(name);
      [name, hasValue] = ["", false];
    } else if (token === "}") {
      scopes.pop();
      [name, hasValue] = ["", false];
    } else if (token === ";") {
      if (hasValue || name !== "") {
        const key = [...scopes, name].filter((part) => part !== "").join("::");
        lines.push({ path, line: text.slice(0, match.index).split("\n").length, key: key.replace(/::$/, "") });
      }
      [name, hasValue] = ["", false];
    } else if (token.startsWith('"')) hasValue = true;
    else if (name === "" && !token.startsWith("#")) name = token;
    else hasValue = true;
  }
  return lines;
}

/** Settings of ours that a file which is read after ours says as well. apt does not tell their names apart by case. */
export function laterAptLines(wish: AptSettings, others: readonly AptLine[]): readonly AptLine[] {
  const keys = Object.keys(wish).map((key) => key.toLowerCase());
  const ours = UPDATES_FILE.slice(APT_FOLDER.length + 1);
  return others.filter(({ path, key }) => {
    const isLater = path === APT_MAIN || path.slice(APT_FOLDER.length + 1) > ours;
    return isLater && keys.some((one) => key.toLowerCase() === one || key.toLowerCase().startsWith(`${one}::`));
  });
}
