import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** One certificate in PEM (RFC 7468). What is in it, the server's own reader of certificates says before anything is changed. */
const LONGEST = 20_000;
const LINE = /^[A-Za-z0-9+/]{1,64}={0,2}$/;

export const AUTHORITY_FOLDER = "/usr/local/share/ca-certificates";

export function authorityPath(name: string): string {
  return `${AUTHORITY_FOLDER}/holdfast-${name}.crt`;
}

export function parseCertificate(text: string): Result<string, string> {
  if (text.length > LONGEST) return err("this is too long for a certificate");
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  const body = lines.slice(1, -1);
  const isFramed = lines[0] === "-----BEGIN CERTIFICATE-----" && lines.at(-1) === "-----END CERTIFICATE-----";
  // `M`: every certificate is a sequence (X.690, 0x30).
  return isFramed && body.length > 0 && body.every((line) => LINE.test(line)) && body[0]?.startsWith("M") === true
    ? ok(text)
    : err("this is not one certificate in PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----");
}

/** The certificate as its file and the bundle of all have it. */
export function certificateText(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

export function parseAuthorityName(text: string): Result<string, string> {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 40))} is not a name of lower-case letters, digits and -`);
}

const FILE = /^holdfast-(.+)\.crt$/;

/** Ours among the files of the folder, by name. */
export function authoritiesIn(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([file, text]) => {
      const name = FILE.exec(file)?.[1];
      return name !== undefined && parseAuthorityName(name).ok ? [[name, text]] : [];
    }),
  );
}
