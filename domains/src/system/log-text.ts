import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseCertificate } from "./certificate.ts";
import type { SystemObserved } from "./facts.ts";
import type { LogTarget, SystemConfig } from "./model.ts";

/** Our file among those of rsyslog: where everything that is logged is sent as well. */
export const RSYSLOG_FILE = "/etc/rsyslog.d/95-holdfast.conf";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";
/**
 * A queue of its own: a log server that is away must not hold up what is written here. It is tried again for ever, and what does not fit
 * any more is dropped.
 */
const QUEUE = 'queue.type="LinkedList" queue.size="10000" action.resumeRetryCount="-1"';
/** Goes on on disk, and is kept when rsyslog ends: a log server that is not trusted for a while gets everything afterwards. */
const DISK = 'queue.maxDiskSpace="256m" queue.saveOnShutdown="on"';
/** The comment in which the authority stands: rsyslog skips it, and its TLS reads nothing else of the file. So both change in one act. */
const [COMMENT_BEGIN, COMMENT_END] = ["/*", "*/"] as const;

/** What rsyslog speaks TLS with, best first; each is a package of its own (rsyslog-openssl, rsyslog-gnutls). */
export const LOG_DRIVERS = ["ossl", "gtls"] as const;
export type LogDriver = (typeof LOG_DRIVERS)[number];

type Logs = NonNullable<SystemConfig["logs"]>;

export function logText(logs: Logs, driver: LogDriver): string {
  const { to, tls } = logs;
  const isSecure = to.some(({ by }) => by === "tls");
  const authority = isSecure && tls !== undefined ? [COMMENT_BEGIN, tls.authority.trimEnd(), COMMENT_END] : [];
  return `${[HEAD, ...authority, ...to.map((target) => actionText(target, tls, driver))].join("\n")}\n`;
}

function actionText(target: LogTarget, tls: Logs["tls"], driver: LogDriver): string {
  const { host, port, by } = target;
  const base = `*.* action(type="omfwd" target="${host}" port="${port}"`;
  if (by !== "tls") return `${base} protocol="${by}" ${QUEUE})`;
  const peer = `streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="${target.name}"`;
  const own =
    tls?.certificate === undefined || tls.key === undefined
      ? ""
      : ` streamDriver.CertFile="${tls.certificate}" streamDriver.KeyFile="${tls.key}"`;
  const trust = `streamDriver="${driver}" ${peer} streamDriver.CAFile="${RSYSLOG_FILE}"${own}`;
  const file = `queue.filename="holdfast-${host.replaceAll(":", "_")}-${port}"`;
  return `${base} protocol="tcp" ${trust} ${QUEUE} ${file} ${DISK})`;
}

/** The one that our file has already stays, so that a second one that is installed changes nothing. */
export function logDriver(observed: SystemObserved | null): LogDriver {
  const entry = observed?.entries[RSYSLOG_FILE];
  const text = entry?.type === "file" ? entry.text : "";
  const installed = observed?.logDrivers ?? [];
  return installed.find((driver) => text.includes(`streamDriver="${driver}"`)) ?? installed[0] ?? LOG_DRIVERS[0];
}

const CLEAR = /^\*\.\* action\(type="omfwd" target="[a-z0-9_.:-]+" port="\d{1,5}" protocol="(?:tcp|udp)" (.*)\)$/;
const NAME = "[a-z0-9_.-]+";
const PATH = "(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)+";
const SECURE = new RegExp(
  `^\\*\\.\\* action\\(type="omfwd" target="(?<host>[a-z0-9_.:-]+)" port="(?<port>\\d{1,5})" protocol="tcp" ` +
    `streamDriver="(?:${LOG_DRIVERS.join("|")})" streamDriverMode="1" streamDriverAuthMode="x509/name" ` +
    `streamDriverPermittedPeers="(?<name>${NAME})" streamDriver\\.CAFile="${RSYSLOG_FILE.replaceAll(".", "\\.")}"` +
    `(?: streamDriver\\.CertFile="(?<certificate>${PATH})" streamDriver\\.KeyFile="(?<key>${PATH})")? ` +
    `(?<queue>.*) queue\\.filename="holdfast-[a-z0-9_.-]+" (?<disk>.*)\\)$`,
);

/** What our file says of log servers that are spoken to over TLS. */
export interface SecureLogs {
  /** The certificate that vouches for them; null where there are none. */
  readonly authority: string | null;
  readonly targets: readonly { readonly host: string; readonly port: number; readonly name: string }[];
  /** Where the server's own certificate and its key stand; null: it shows none. */
  readonly own: { readonly certificate: string; readonly key: string } | null;
}

/** Whether a text could be ours: our head, an authority, and lines that send somewhere. Nothing in it writes a file or runs a program. */
export function parseLogText(text: string): Result<SecureLogs, string> {
  const [head, ...rest] = text.split("\n");
  if (head !== HEAD || rest.pop() !== "") return err("this is no text of ours for rsyslog");
  const end = rest[0] === COMMENT_BEGIN ? rest.indexOf(COMMENT_END) : -1;
  const authority = end === -1 ? null : `${rest.slice(1, end).join("\n")}\n`;
  const checked = authority === null ? ok("") : parseCertificate(authority);
  if (!checked.ok) return checked;
  const targets: { host: string; port: number; name: string }[] = [];
  let own: SecureLogs["own"] = null;
  for (const line of rest.slice(end + 1)) {
    const secure = SECURE.exec(line)?.groups;
    if (secure === undefined ? CLEAR.exec(line)?.[1] !== QUEUE : secure["queue"] !== QUEUE || secure["disk"] !== DISK)
      return err(`${JSON.stringify(line.slice(0, 80))} is no line of ours for rsyslog`);
    if (secure === undefined) continue;
    const { host = "", port = "", name = "", certificate, key } = secure;
    targets.push({ host, port: Number(port), name });
    if (certificate !== undefined && key !== undefined) own = { certificate, key };
  }
  return ok({ authority, targets, own });
}

/** Where a certificate or a key of the server's own may stand: where such things stand, and nothing else is read. */
export function parseTlsFile(text: string): Result<string, string> {
  return text.length <= 200 && /^\/etc\/(?:ssl|pki|letsencrypt\/live)(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)+$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 60))} is no file below /etc/ssl, /etc/pki or /etc/letsencrypt/live`);
}

/** The main file with its folder led to another one; null when it includes none. */
export function withFolder(main: string, folder: string, other: string): string | null {
  const found = main.replaceAll(`${folder}/*.conf`, `${other}/*.conf`);
  return found === main ? null : found;
}
