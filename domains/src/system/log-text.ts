import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { SystemConfig } from "./model.ts";

/** Our file among those of rsyslog: where everything that is logged is sent as well. */
export const RSYSLOG_FILE = "/etc/rsyslog.d/95-holdfast.conf";

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";
/**
 * A queue of its own: a log server that is away must not hold up what is written here. It is tried again for ever, and what does not fit
 * any more is dropped.
 */
const QUEUE = 'queue.type="LinkedList" queue.size="10000" action.resumeRetryCount="-1"';

export function logText(logs: NonNullable<SystemConfig["logs"]>): string {
  const lines = logs.to.map(
    ({ host, port, by }) => `*.* action(type="omfwd" target="${host}" port="${port}" protocol="${by}" ${QUEUE})`,
  );
  return `${[HEAD, ...lines].join("\n")}\n`;
}

const LINE = /^\*\.\* action\(type="omfwd" target="[a-z0-9_.:-]+" port="\d{1,5}" protocol="(?:tcp|udp)" (.*)\)$/;

/** Whether a text could be ours: our head, and lines that send somewhere. Nothing in it writes a file or runs a program. */
export function parseLogText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no text of ours for rsyslog");
  const wrong = lines.find((line) => LINE.exec(line)?.[1] !== QUEUE);
  return wrong === undefined ? ok(null) : err(`${JSON.stringify(wrong.slice(0, 80))} is no line of ours for rsyslog`);
}

/** The main file with its folder led to another one; null when it includes none. */
export function withFolder(main: string, folder: string, other: string): string | null {
  const found = main.replaceAll(`${folder}/*.conf`, `${other}/*.conf`);
  return found === main ? null : found;
}
