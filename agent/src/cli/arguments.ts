import { parseArgs } from "node:util";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** What may stand on the command line, for every role and command. */
export const OPTIONS = {
  root: { type: "string", default: "/" },
  "ready-fd": { type: "string" },
  "after-ms": { type: "string" },
  reason: { type: "string" },
  yes: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  control: { type: "string" },
  only: { type: "boolean", default: false },
  "ca-fingerprint": { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  "management-network": { type: "string", multiple: true },
  "ssh-port": { type: "string", multiple: true },
  help: { type: "boolean", short: "h", default: false },
} as const;

export type Arguments = ReturnType<typeof parse>;

export function readArguments(argv: readonly string[]): Result<Arguments, string> {
  try {
    return ok(parse(argv));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
}

/** A number that an option brings; null when it is not there or not one. */
export function numberOption(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
