/**
 * Whom to tell, from a file beside the control plane. Not from the API: whoever may name an address there could make the control plane ask
 * any address it can reach, and their secrets would have to lie in the database.
 */
import { X509Certificate } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { ALERT_SEVERITIES, type AlertSeverity } from "@holdfast/core/alert/kind.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { z } from "zod";
import { whyAddressRefused } from "./address-guard.ts";

export type Channel = Hook | Mailbox;

interface Named {
  readonly name: string;
  /** Alerts that matter less are not told. */
  readonly least: AlertSeverity;
}

export interface Hook extends Named {
  readonly kind: "webhook" | "slack";
  readonly url: URL;
  /** Signs what a webhook is sent; null for Slack, whose address is the secret. */
  readonly secret: string | null;
}

/** A relay that takes mail for these people. */
export interface Mailbox extends Named {
  readonly kind: "mail";
  readonly host: string;
  readonly port: number;
  /** `starttls` is asked for, never merely offered; `none` only on this machine. */
  readonly tls: "implicit" | "starttls" | "none";
  /** PEM of the authority behind the relay's certificate; null: those that this machine trusts. */
  readonly authority: string | null;
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly from: string;
  readonly to: readonly string[];
}

/** Shorter ones can be guessed from one signed message. */
const SECRET_LEAST = 32;

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, { error: "lower-case letters, digits and hyphens" });
const least = z.enum(ALERT_SEVERITIES).default("warning");
/** No display names and no quoting: what is written here is what the relay is told. */
const address = z
  .string()
  .max(254)
  .regex(/^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i, {
    error: "a plain address, as in ops@example.net",
  });
const mailSchema = z.strictObject({
  kind: z.literal("mail"),
  name,
  host: z.string().regex(/^[\w.:-]{1,253}$/, { error: "the name or the address of a relay" }),
  port: z.int().min(1).max(65_535),
  tls: z.enum(["implicit", "starttls", "none"]).default("starttls"),
  caFile: z.string().optional(),
  user: z.string().min(1).optional(),
  passwordFile: z.string().optional(),
  from: address,
  to: z.array(address).min(1).max(20),
  least,
});
const fileSchema = z.strictObject({
  channels: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("webhook"), name, url: z.string(), secretFile: z.string(), least }),
      z.strictObject({ kind: z.literal("slack"), name, urlFile: z.string(), least }),
      mailSchema,
    ]),
  ),
});

/** Every channel, or everything that is wrong with the file. Addresses of chat rooms and secrets are never part of a message. */
export function readChannels(file: string | null): Result<readonly Channel[], readonly string[]> {
  if (file === null) return ok([]);
  const problems: string[] = [];
  const read = (path: string, what: string): string => {
    try {
      return readGuarded(path).trim();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return "";
    }
  };
  const text = read(file, "HOLDFAST_NOTIFY_FILE");
  if (problems.length > 0) return err(problems);
  const parsed = fileSchema.safeParse(jsonOf(text));
  if (!parsed.success)
    return err(parsed.error.issues.map((issue) => `${file}: ${issue.path.join(".")}: ${issue.message}`));
  const channels = parsed.data.channels.flatMap((entry): Channel[] => {
    const found = problems.length;
    if (entry.kind === "mail") {
      problems.push(...mailProblems(entry).map((problem) => `${entry.name}: ${problem}`));
      const { name: known, host, port, tls, from, to, user, passwordFile, caFile } = entry;
      const password = passwordFile === undefined ? "" : read(passwordFile, known);
      const authority = caFile === undefined ? null : readCertificate(caFile, known, problems);
      const login = user === undefined ? null : { user, password };
      return problems.length > found
        ? []
        : [{ kind: "mail", name: known, host, port, tls, from, to, login, authority, least: entry.least }];
    }
    const url = urlOf(entry.kind === "slack" ? read(entry.urlFile, entry.name) : entry.url);
    if (url === null) problems.push(`${entry.name}: expected an https or http address without user and password`);
    const refused = url === null ? null : whyAddressRefused(url.hostname);
    if (refused !== null) problems.push(`${entry.name}: ${refused}`);
    const secret = entry.kind === "webhook" ? read(entry.secretFile, entry.name) : null;
    if (secret !== null && secret.length < SECRET_LEAST)
      problems.push(`${entry.name}: the secret has less than ${SECRET_LEAST} characters`);
    return url === null || problems.length > found
      ? []
      : [{ name: entry.name, kind: entry.kind, url, secret, least: entry.least }];
  });
  const names = channels.map((channel) => channel.name);
  for (const twice of new Set(names.filter((one, index) => names.indexOf(one) !== index)))
    problems.push(`${twice}: two channels have this name`);
  return problems.length === 0 ? ok(channels) : err(problems);
}

function mailProblems({ host, tls, user, passwordFile, caFile }: z.infer<typeof mailSchema>): readonly string[] {
  const refused = whyAddressRefused(host);
  return [
    ...(refused === null ? [] : [refused]),
    ...(tls === "none" && !THIS_MACHINE.has(host.toLowerCase())
      ? ["without TLS mail is handed only to a relay on this machine (localhost, 127.0.0.1 or ::1)"]
      : []),
    ...(tls === "none" && caFile !== undefined ? ["caFile says whom to trust, and tls is none"] : []),
    ...((user === undefined) === (passwordFile === undefined) ? [] : ["user and passwordFile belong together"]),
  ];
}

const THIS_MACHINE: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

/** No secret: anybody may read it. Who may write it decides whom the relay is believed to be, as with the system's own. */
function readCertificate(file: string, channel: string, problems: string[]): string {
  try {
    const pem = readFileSync(file, "utf8");
    void new X509Certificate(pem);
    return pem;
  } catch (error) {
    problems.push(`${channel}: ${file} is no certificate: ${error instanceof Error ? error.message : String(error)}`);
    return "";
  }
}

/**
 * Whoever can write one of these files has alerts sent where they like, and whoever can read one can sign as this house. Asked of what was
 * opened, so that it is not another file by the time it is read. The group may read a file of root's: that is how a service is given one.
 */
function readGuarded(path: string): string {
  const file = openSync(path, "r");
  try {
    const refused = whyFileRefused(fstatSync(file), process.geteuid?.() ?? 0);
    if (refused !== null) throw new Error(`${path} ${refused}`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

export function whyFileRefused({ uid, mode }: Pick<Stats, "uid" | "mode">, own: number): string | null {
  if (uid !== 0 && uid !== own) return `belongs to user ${uid}, expected root or this process's own`;
  const others = uid === 0 ? 0o027 : 0o077;
  if ((mode & others) === 0) return null;
  return `is open to others (mode ${(mode & 0o777).toString(8)}, expected ${uid === 0 ? "640" : "600"}): chmod it, and make new secrets if somebody has read them`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function urlOf(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["https:", "http:"].includes(url.protocol)) return null;
  return url.username === "" && url.password === "" ? url : null;
}
