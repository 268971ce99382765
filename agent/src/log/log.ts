import { hostname } from "node:os";
import { LOG_FIELDS, logFields, type LogContext } from "@holdfast/core/log/fields.ts";
import { journalFields, LINE_FORMAT, LOG_LINE, type LogLevel, SYSLOG_PRIORITY } from "@holdfast/core/log/line.ts";
import { pino, type Logger } from "pino";
import { type JournalAnswer, journalSocket, sendToJournal } from "../os/journal.ts";

export interface Log {
  info(message: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  warn(message: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  error(message: string, context?: LogContext, more?: Readonly<Record<string, unknown>>): void;
  with(context: LogContext): Log;
}

/** The one way back: its unit gives every line of its the request_id (LogExtraFields=), so it needs no socket of its own. */
const UNIT_NAMES_REQUEST = "revert";

/** One JSON object a line. A reader that is gone must not stop an undo: its lines are lost then, nothing else. */
export function openLog(role: string, descriptor: 1 | 2): Log {
  const destination = pino.destination({ fd: descriptor, sync: true });
  destination.on("error", () => undefined);
  const options = {
    ...LINE_FORMAT,
    base: { [LOG_LINE.process]: role, pid: process.pid, [LOG_FIELDS.targetHost]: hostname() },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const journal = role === UNIT_NAMES_REQUEST ? null : journalSocket(process.env);
  return wrap(pino(options, journal === null ? destination : withFields(destination, journal, `holdfast-${role}`)), {});
}

/** Milliseconds between two tries while the journal's queue is full, and how many there are before a line goes to the stream without fields. */
const BUSY_PAUSE_MS = 10;
const BUSY_TRIES = 100;

/**
 * Lines of a transaction go to the journal with fields, so that `journalctl REQUEST_ID=…` finds them; all others as ever. They keep their order
 * and nothing waits for them: no step of a change is later because it is written about. What a SIGKILL cuts off here is a line of the log; what
 * must survive stands in the ledger.
 */
function withFields(stream: { write(text: string): unknown }, journal: number, identifier: string) {
  const waiting: string[] = [];
  let tries = 0;
  const send = (text: string): JournalAnswer => {
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return sendToJournal(journal, {
      MESSAGE: text.trimEnd(),
      PRIORITY: String(SYSLOG_PRIORITY[line[LOG_LINE.level] as LogLevel]),
      SYSLOG_IDENTIFIER: identifier,
      ...journalFields(line),
    });
  };
  const sendWaiting = (): void => {
    for (let text = waiting[0]; text !== undefined; text = waiting[0]) {
      const answer = send(text);
      if (answer === "busy" && ++tries < BUSY_TRIES) {
        setTimeout(sendWaiting, BUSY_PAUSE_MS);
        return;
      }
      if (answer === "taken") tries = 0;
      else stream.write(text);
      waiting.shift();
    }
  };
  return {
    write(text: string): void {
      if (!text.includes(`"${LOG_FIELDS.requestId}"`)) return void stream.write(text);
      waiting.push(text);
      if (waiting.length === 1) sendWaiting();
    },
  };
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
    info: (message, context, more) => logger.info(fields(context, more), message),
    warn: (message, context, more) => logger.warn(fields(context, more), message),
    error: (message, context, more) => logger.error(fields(context, more), message),
    with: (context) => wrap(logger, { ...fixed, ...context }),
  };
}

/** Why something failed, in words for a line of the log. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
