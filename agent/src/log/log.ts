import { hostname } from "node:os";
import { logFields, type LogContext } from "@holdfast/core/log/fields.ts";
import { pino, type Logger } from "pino";

export interface Log {
  info(event: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  warn(event: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  error(event: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  with(context: LogContext): Log;
}

/** One JSON object a line. A reader that is gone must not stop an undo: its lines are lost then, nothing else. */
export function openLog(role: string, descriptor: 1 | 2): Log {
  const destination = pino.destination({ fd: descriptor, sync: true });
  destination.on("error", () => undefined);
  const options = {
    base: { role, pid: process.pid, target_host: hostname() },
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: "event",
  };
  return wrap(pino(options, destination), {});
}

function wrap(logger: Logger, fixed: LogContext): Log {
  const fields = (
    context: LogContext | undefined,
    more: Readonly<Record<string, unknown>> | undefined,
  ): Record<string, unknown> => ({
    ...more,
    ...logFields({ ...fixed, ...context }),
  });
  return {
    info: (event, context, more) => logger.info(fields(context, more), event),
    warn: (event, context, more) => logger.warn(fields(context, more), event),
    error: (event, context, more) => logger.error(fields(context, more), event),
    with: (context) => wrap(logger, { ...fixed, ...context }),
  };
}

/** Why something failed, in words for a line of the log. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
