import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import { APT_FOLDER, type AptLine } from "./apt-text.ts";
import { parseDnsName } from "./hostname.ts";
import type { SystemConfig } from "./model.ts";

/** By whom apt fetches: our file among those of apt, which reads them by name, the last that says something wins (apt-transport-http(1)). */
export const PROXY_FILE = `${APT_FOLDER}/95-holdfast-proxy.conf`;

const HEAD = "// Made by Holdfast from a policy; changes here are overwritten.";

export type ProxyConfig = NonNullable<SystemConfig["proxy"]>;

export const PROXIED = ["http", "https"] as const;
type Proxied = (typeof PROXIED)[number];

export interface ProxyPlace {
  readonly host: string;
  readonly port: number;
}

/** Reads `http://proxy.internal:3128`. A name and a password are refused: whoever is on the server could read them in the file. */
export function parseProxy(text: string): Result<ProxyPlace, string> {
  const shown = JSON.stringify(text.slice(0, 80));
  if (text.includes("@"))
    return err(
      "a proxy is written without a name and a password: everybody on the server could read them; let it know the server by its address",
    );
  const [, host = "", digits = ""] = /^http:\/\/(\[[0-9a-f:.]+\]|[^\s:/[\]]+):([1-9]\d{0,4})$/.exec(text) ?? [];
  const port = Number(digits);
  const name = host.startsWith("[") ? host.slice(1, -1) : host;
  if (name === "" || port > 65_535 || !(parseAddress(name).ok || parseDnsName(name).ok))
    return err(
      `${shown} is no proxy; write http://, a name or an address, and a port, like http://proxy.internal:3128`,
    );
  return ok({ host: name, port });
}

/** A host that apt asks itself; it knows no networks and no endings of names. */
export function parseDirect(text: string): Result<string, string> {
  return parseAddress(text).ok || parseDnsName(text).ok
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 80))} is not one host; apt knows no networks and no endings of names here`);
}

const key = (scheme: Proxied, host?: string): string =>
  `Acquire::${scheme}::Proxy${host === undefined ? "" : `::${host}`}`;

export function proxyText(proxy: ProxyConfig): string {
  const lines = PROXIED.flatMap((scheme) => {
    const url = proxy[scheme];
    return url === undefined
      ? []
      : [`${key(scheme)} "${url}";`, ...(proxy.direct ?? []).map((host) => `${key(scheme, host)} "DIRECT";`)];
  });
  return `${[HEAD, ...lines].join("\n")}\n`;
}

/** Whether a text could be ours. apt's files may also name programs that apt runs as root: none of those passes. */
export function parseProxyText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no text of ours for apt");
  const wrong = lines.find((line) => {
    const [, host, value = ""] = /^Acquire::https?::Proxy(?:::([^\s"]+))? "([^"\\]*)";$/.exec(line) ?? [];
    return host === undefined ? !parseProxy(value).ok : !(parseDirect(host).ok && value === "DIRECT");
  });
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 80))} is no line of ours for apt`);
}

/** Settings of others by which apt goes another way: their names, and never what they say, which may be a password. */
export const PROXY_KEYS = /^acquire::https?::proxy(?:$|::|-auto-detect$)/i;

/** What of others comes after our file, or is asked before it. */
export function otherProxyLines(proxy: ProxyConfig, others: readonly AptLine[]): readonly AptLine[] {
  return others.filter(({ path, key: said }) => {
    const [, scheme = "", rest = ""] = /^acquire::(https?)::(proxy.*)$/i.exec(said) ?? [];
    if (!PROXIED.some((one) => one === scheme.toLowerCase() && proxy[one] !== undefined)) return false;
    if (/-auto-detect$/i.test(rest)) return true;
    const isLater = !path.startsWith(`${APT_FOLDER}/`) || path > PROXY_FILE;
    // One host of theirs beside ours is their matter.
    return isLater && /^proxy$/i.test(rest);
  });
}

export type AptProxies = { readonly [scheme in Proxied]: string | null };

/** By whom apt says that it fetches. One with a password is told as such and no more. */
export function parseAptProxies(dump: string): AptProxies {
  const said = (scheme: Proxied): string | null => {
    const value = new RegExp(`^Acquire::${scheme}::Proxy "(.*)";$`, "im").exec(dump)?.[1] ?? "";
    return value === "" ? null : value.includes("@") ? "one with a password" : value;
  };
  return { http: said("http"), https: said("https") };
}

/** What of it apt does not say; null: all of it is so. */
export function proxyProblem(proxy: ProxyConfig, said: AptProxies | null): string | null {
  const wrong = PROXIED.find((scheme) => proxy[scheme] !== undefined && proxy[scheme] !== said?.[scheme]);
  return wrong === undefined ? null : `${wrong} by ${said?.[wrong] ?? "nobody"}`;
}
