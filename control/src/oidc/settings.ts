/**
 * Which provider signs people in, from a file beside the control plane. Not from the API: whoever may name a provider can be anybody, and the
 * client's secret would have to lie in the database.
 */
import { readFileSync, statSync } from "node:fs";
import { roleNameSchema } from "@holdfast/core/api/account.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { z } from "zod";
import type { OidcConfig } from "../config.ts";
import { whyProviderRefused } from "./provider-address.ts";

/** For whom an account is made at their first sign-in: who has this value in this claim. Nobody else, so that a provider of the whole world opens to nobody. */
export interface NewAccounts {
  readonly role: string;
  readonly claim: string;
  readonly value: string;
}

export interface OidcSettings {
  readonly issuer: URL;
  /** As the provider writes it itself: links are kept under it. */
  readonly issuerText: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** On the button. */
  readonly label: string;
  readonly newAccounts: NewAccounts | null;
}

const LABEL_MOST = 60;

const fileSchema = z.strictObject({
  issuer: z.string(),
  clientId: z.string().min(1).max(500),
  clientSecretFile: z.string().optional(),
  label: z.string().min(1).max(LABEL_MOST).default("OpenID Connect"),
  newAccounts: z
    .strictObject({ role: roleNameSchema, claim: z.string().min(1).max(200), value: z.string().min(1).max(500) })
    .optional(),
});

/** Null without a provider; else all of it, or everything that is wrong. The secret is never part of a message. */
export function readOidcSettings(config: OidcConfig | null): Result<OidcSettings | null, readonly string[]> {
  if (config === null) return ok(null);
  const { file } = config;
  const text = read(file, "HOLDFAST_OIDC_FILE", OTHERS_WRITE);
  if (!text.ok) return err([text.error]);
  const parsed = fileSchema.safeParse(jsonOf(text.value));
  if (!parsed.success)
    return err(parsed.error.issues.map((issue) => `${file}: ${issue.path.join(".")}: ${issue.message}`));
  const { issuer, clientId, clientSecretFile, label, newAccounts } = parsed.data;
  const problems: string[] = [];
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  const refused = url === null ? "it is no address" : whyProviderRefused(url);
  if (refused !== null) problems.push(`${file}: issuer: ${refused}`);
  if (url !== null && (url.search !== "" || url.hash !== ""))
    problems.push(`${file}: issuer: expected an address without ? and #`);
  const secret = secretOf(config.clientSecret, clientSecretFile);
  if (!secret.ok) problems.push(secret.error);
  if (url === null || !secret.ok || problems.length > 0) return err(problems);
  return ok({
    issuer: url,
    issuerText: issuer,
    clientId,
    clientSecret: secret.value,
    label,
    newAccounts: newAccounts ?? null,
  });
}

function secretOf(given: string | null, file: string | undefined): Result<string, string> {
  if (given !== null && file !== undefined)
    return err("HOLDFAST_OIDC_CLIENT_SECRET: expected either this or clientSecretFile, not both");
  if (given !== null) return ok(given);
  if (file === undefined) return err("clientSecretFile: expected a file with it, or HOLDFAST_OIDC_CLIENT_SECRET");
  const text = read(file, "clientSecretFile", OTHERS_READ);
  return text.ok && text.value === "" ? err(`clientSecretFile: ${file} is empty`) : text;
}

/** Who may write the one says who signs in; who may read the other can be taken for us. */
const OTHERS_WRITE = { bits: 0o022, words: "others may write it" } as const;
const OTHERS_READ = { bits: 0o077, words: "others may read it" } as const;

function read(file: string, what: string, forbidden: typeof OTHERS_WRITE | typeof OTHERS_READ): Result<string, string> {
  try {
    const { mode, uid } = statSync(file);
    if ((mode & forbidden.bits) !== 0)
      return err(`${what}: ${file}: ${forbidden.words} (mode ${(mode & 0o777).toString(8)})`);
    if (uid !== 0 && uid !== process.geteuid?.())
      return err(`${what}: ${file}: it belongs to neither root nor the user that runs this`);
    return ok(readFileSync(file, "utf8").trim());
  } catch (error) {
    return err(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
