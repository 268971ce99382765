import { AsyncLocalStorage } from "node:async_hooks";
import type { LogContext } from "@holdfast/core/log/fields.ts";

/** What is being worked on, for lines that are written deep inside of it: native commands do not know whose they are. */
const ABOUT = new AsyncLocalStorage<LogContext>();

export function runAbout<T>(about: LogContext, work: () => T): T {
  return ABOUT.run(about, work);
}

export function currentAbout(): LogContext | null {
  return ABOUT.getStore() ?? null;
}
