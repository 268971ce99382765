import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { authorityPath } from "@holdfast/domains/system/certificate.ts";
import { exec } from "./exec.ts";
import { makeFolder, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";

const UPDATER = "/usr/sbin/update-ca-certificates";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const MODE = 0o644;

/** Whether the text is a certificate that may vouch for others, and the server has what makes programs trust it. */
export function rehearseAuthority(root: string, text: string | null): Result<null, string> {
  if (!existsSync(join(root, UPDATER))) return err("ca-certificates is not installed on this server");
  if (text === null) return ok(null);
  try {
    const certificate = new X509Certificate(text);
    if (!certificate.ca) return err(`${certificate.subject.replaceAll("\n", ", ")} is no certificate authority`);
    return ok(null);
  } catch (error) {
    return err(`this certificate cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Puts the certificate among the server's own ones and lets the bundle be made anew, from which programs read. */
export async function changeAuthority(
  root: string,
  name: string,
  text: string | null,
  timeoutMs: number,
): Promise<Result<null, string>> {
  const path = join(root, authorityPath(name));
  try {
    const before = readTextIfThere(path);
    if (text === null) {
      if (existsSync(dirname(path))) removeFileDurably(path);
    } else {
      const checked = rehearseAuthority(root, text);
      if (!checked.ok) return checked;
      if (!existsSync(dirname(path))) makeFolder(dirname(path), 0o755);
      writeFileDurably(path, text, MODE);
    }
    if (!existsSync(join(root, UPDATER))) return ok(null);
    // Only `--fresh` takes away the links of what is gone.
    const updated = await exec(text === null ? [UPDATER, "--fresh"] : [UPDATER], { timeoutMs });
    if (updated.status !== 0) return err(`update-ca-certificates: ${updated.stderr.trim().split("\n").join("; ")}`);
    const bundle = readTextIfThere(join(root, BUNDLE)) ?? "";
    if (text !== null && !bundle.includes(text)) return err(`${BUNDLE} does not have the certificate`);
    return text === null && before !== null && bundle.includes(before)
      ? err(`${BUNDLE} has the certificate still`)
      : ok(null);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
