import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Context } from "./context.ts";

const fileSchema = z.object({ url: z.string(), token: z.string() });
type Credentials = z.infer<typeof fileSchema>;

/** The demo's address; anything else is said with HOLDFAST_URL or kept by `holdfast login`. */
const DEFAULT_URL = "http://127.0.0.1:7080";

/** The environment wins over what `holdfast login` has kept. */
export function readCredentials(context: Context): { readonly url: string; readonly token: string | null } {
  const kept = readKept(context);
  return {
    url: context.env["HOLDFAST_URL"] ?? kept?.url ?? DEFAULT_URL,
    token: context.env["HOLDFAST_TOKEN"] ?? kept?.token ?? null,
  };
}

export function keepCredentials(context: Context, credentials: Credentials): string {
  const file = credentialsFile(context);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(credentials)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
  return file;
}

export function forgetCredentials(context: Context): void {
  rmSync(credentialsFile(context), { force: true });
}

function readKept(context: Context): Credentials | null {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(credentialsFile(context), "utf8")));
  } catch {
    return null; // nobody has signed in here, or it is not what was written: signing in makes it anew
  }
}

function credentialsFile(context: Context): string {
  const base = context.env["XDG_CONFIG_HOME"] ?? path.join(context.home, ".config");
  return path.join(base, "holdfast", "credentials.json");
}
