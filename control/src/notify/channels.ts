/**
 * Whom to tell, from a file beside the control plane. Not from the API: whoever may name an address there could make the control plane ask
 * any address it can reach, and their secrets would have to lie in the database.
 */
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { ALERT_SEVERITIES, type AlertSeverity } from "@holdfast/core/alert/kind.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { z } from "zod";
import { whyAddressRefused } from "./address-guard.ts";

export interface Channel {
  readonly name: string;
  readonly kind: "webhook" | "slack";
  readonly url: URL;
  /** Signs what a webhook is sent; null for Slack, whose address is the secret. */
  readonly secret: string | null;
  /** Alerts that matter less are not told. */
  readonly least: AlertSeverity;
}

/** Shorter ones can be guessed from one signed message. */
const SECRET_LEAST = 32;

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, { error: "lower-case letters, digits and hyphens" });
const least = z.enum(ALERT_SEVERITIES).default("warning");
const fileSchema = z.strictObject({
  channels: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("webhook"), name, url: z.string(), secretFile: z.string(), least }),
      z.strictObject({ kind: z.literal("slack"), name, urlFile: z.string(), least }),
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
