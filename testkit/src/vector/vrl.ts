import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check, execute, formatDiagnostic } from "@bpinternal/verel";
import { repository } from "../servers/machine.ts";

/** The program of deploy/vector, run by Vector's own language. */
export const HOLDFAST_VRL = readFileSync(join(repository, "deploy/vector/holdfast.vrl"), "utf8");

/** What the compiler says against a program. */
export function diagnosticsOf(program: string): readonly string[] {
  const { errors, warnings } = check(program);
  return [...errors, ...warnings].map(formatDiagnostic);
}

/** Null: it was dropped. */
export function remap(event: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | null {
  try {
    return execute(HOLDFAST_VRL, { ...event }).event as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (String(error).includes("aborted")) return null;
    throw error;
  }
}

/** What a condition of Vector's unit tests says of a record; null: it holds. */
export function whyNot(condition: string, record: Readonly<Record<string, unknown>>): string | null {
  try {
    execute(condition, { ...record });
    return null;
  } catch (error) {
    return String(error);
  }
}

/** The event that Vector's journald source makes of an entry as `journalctl -o json` prints it. */
export function journalEvent(entry: Readonly<Record<string, string | undefined>>): Readonly<Record<string, unknown>> {
  const { MESSAGE, _HOSTNAME, __REALTIME_TIMESTAMP, ...fields } = entry;
  return {
    ...fields,
    message: MESSAGE,
    host: _HOSTNAME,
    source_type: "journald",
    timestamp: new Date(Number(__REALTIME_TIMESTAMP ?? "0") / 1_000).toISOString(),
  };
}
