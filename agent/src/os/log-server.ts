import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SecureLogs } from "@holdfast/domains/system/log-text.ts";
import { rehearseAuthority } from "./authority.ts";
import { exec } from "./exec.ts";
import { readTextIfThere } from "./files.ts";

/** Whether what is said about TLS can work at all: an authority that may vouch, and a certificate with its own key. */
export function checkSecureLogs(root: string, { authority, targets, own }: SecureLogs): Result<null, string> {
  if (targets.length === 0) return ok(null);
  if (authority === null) return err("nobody vouches for the log servers by tls");
  const vouches = rehearseAuthority(root, authority);
  if (!vouches.ok) return vouches;
  if (own === null) return ok(null);
  try {
    const certificate = new X509Certificate(readFileSync(join(root, own.certificate)));
    return certificate.checkPrivateKey(createPrivateKey(readFileSync(join(root, own.key))))
      ? ok(null)
      : err(`the key ${own.key} is not that of ${own.certificate}`);
  } catch (error) {
    return err(`${own.certificate} with ${own.key}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** rsyslog begins to send at once, for it logs its own start. A log server that is away is no fault of the change. */
const PATIENCE_MS = 8_000;
/** A connection stands before the two have shown each other who they are. */
const SETTLED_MS = 2_000;
const POLL_MS = 250;
const ASK_TIMEOUT_MS = 5_000;
const STATE_ESTABLISHED = "01";

/**
 * Of rsyslog's own words those on certificates and names, as its two TLS drivers have them (nsd_ossl.c, nsd_gtls.c). That a server shows no
 * certificate of its own is a choice; it is said at every start, and is none of them.
 */
const DISTRUST =
  /not permitted to talk|certificate (?:invalid|validation failed|error|expired|revoked)|could not be accessed|error (?:adding|reading) (?:our )?certificate|unexpected GnuTLS error|SSL_ERROR_SSL/i;

/**
 * What rsyslog says since it was started: an error where it does not trust a log server, or its TLS does not work. Its words are the only ones
 * that there are: it connects with its own rights, files and name lookups.
 */
export async function heardOfLogServers(
  root: string,
  { targets }: SecureLogs,
  sinceMs: number,
): Promise<Result<null, string>> {
  const ports = new Set(targets.map(({ port }) => port));
  const names = targets.map(({ host, port, name }) => `${host}:${String(port)} (${name})`).join(", ");
  let settled = 0;
  for (let waited = 0; waited < PATIENCE_MS && settled < SETTLED_MS; waited += POLL_MS) {
    await wait(POLL_MS);
    const complaint = await complaintSince(sinceMs);
    if (complaint !== undefined) return err(`rsyslog does not trust the log server among ${names}: ${complaint}`);
    const connected = connectedPorts(root);
    settled = [...ports].every((port) => connected.has(port)) ? settled + POLL_MS : 0;
  }
  return ok(null);
}

async function complaintSince(sinceMs: number): Promise<string | undefined> {
  const since = `--since=@${(sinceMs / 1000).toFixed(3)}`;
  const argv: [string, ...string[]] = [
    "journalctl",
    "--quiet",
    "--no-pager",
    "--output=cat",
    "--unit=rsyslog.service",
    since,
  ];
  const { stdout } = await exec(argv, { timeoutMs: ASK_TIMEOUT_MS });
  return stdout.split("\n").find((line) => DISTRUST.test(line));
}

function connectedPorts(root: string): ReadonlySet<number> {
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    (readTextIfThere(join(root, path)) ?? "").split("\n"),
  );
  return new Set(
    lines.flatMap((line) => {
      const [, , remote = "", state] = line.trim().split(/\s+/);
      return state === STATE_ESTABLISHED ? [Number.parseInt(remote.slice(remote.lastIndexOf(":") + 1), 16)] : [];
    }),
  );
}
