import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { parseManagedUnit } from "./unit-name.ts";

/**
 * What a task may start. A task starts a unit that somebody else put on the server; what that unit does is its own matter, unless it ends the
 * server: then a slip of a finger would end it again and again.
 */

/** Targets and services by which a machine stops, sleeps, or loses what people come in by. */
const ENDS =
  /^(?:shutdown|reboot|poweroff|halt|kexec|soft-reboot|exit|rescue|emergency|sleep|suspend|hibernate|hybrid-sleep|suspend-then-hibernate|runlevel[016]|ctrl-alt-del|initrd[a-z-]*|isolate|systemd-(?:reboot|poweroff|halt|kexec|soft-reboot|suspend|hibernate|hybrid-sleep|suspend-then-hibernate))\.(?:target|service)$/;

export function parseTaskUnit(text: string): Result<string, string> {
  if (ENDS.test(text)) return err(`${text} stops this server, and no task does that`);
  const managed = parseManagedUnit(text);
  if (!managed.ok) return managed;
  if (!text.endsWith(".service")) return err(`${JSON.stringify(text)} is no service; a task starts a service`);
  return text.endsWith("@.service")
    ? err(`${text} is a template; write which one of it, like ${text.replace("@.", "@daily.")}`)
    : ok(text);
}

/** What is asked of systemd before a unit is put under a timer. */
export const TASK_UNIT_PROPERTIES = [
  "Id",
  "LoadState",
  "CanStart",
  "SuccessAction",
  "FailureAction",
  "StartLimitAction",
  "JobTimeoutAction",
  "Requires",
  "Requisite",
  "Wants",
  "BindsTo",
  "OnSuccess",
  "OnFailure",
  "Conflicts",
  "ExecStartPre",
  "ExecStart",
  "ExecStartPost",
  "ExecStop",
  "ExecStopPost",
] as const;

const ACTIONS = ["SuccessAction", "FailureAction", "StartLimitAction", "JobTimeoutAction"] as const;
const PULLS = ["Requires", "Requisite", "Wants", "BindsTo", "OnSuccess", "OnFailure"] as const;
const PROGRAMS = ["ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop", "ExecStopPost"] as const;

/** By name, wherever it stands; and what systemctl and busctl are told. */
const ENDING_PROGRAM = /(?:^|\/)(?:reboot|poweroff|halt|shutdown|telinit|init|kexec)$/;
const ENDING_VERB = /^(?:reboot|poweroff|halt|kexec|soft-reboot|exit|rescue|emergency|isolate|suspend|hibernate)$/;

/**
 * From `systemctl show` of one unit: why it may be started by no timer; null where nothing speaks against it. A program that a script of the
 * unit starts in turn is not seen.
 */
export function taskUnitProblem(unit: string, shown: string): string | null {
  const values = (key: string): readonly string[] =>
    shown.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const [load = ""] = values("LoadState");
  // The plan has words of its own for these, and systemd starts no timer for them.
  if (load === "not-found" || load === "masked") return null;
  if (load !== "loaded") return `systemd cannot load ${unit} (${load === "" ? "it says nothing of it" : load})`;
  const [id = unit] = values("Id");
  if (id !== unit) {
    const named = parseTaskUnit(id);
    if (!named.ok) return `${unit} is another name of ${id}: ${named.error}`;
  }
  if (values("CanStart")[0] === "no") return `${unit} cannot be started`;
  const action = ACTIONS.find((key) => !["", "none"].includes(values(key)[0] ?? ""));
  if (action !== undefined) return `${unit} stops this server by ${action}=${values(action)[0] ?? ""}`;
  for (const key of PULLS) {
    const target = (values(key)[0] ?? "").split(" ").find((name) => ENDS.test(name));
    if (target !== undefined) return `${unit} starts ${target} by ${key}=`;
  }
  const against = (values("Conflicts")[0] ?? "")
    .split(" ")
    .find((name) => name !== "" && name !== "shutdown.target" && isNeeded(name));
  if (against !== undefined) return `${unit} stops ${against} when it starts (Conflicts=)`;
  for (const key of PROGRAMS) {
    const program = values(key).flatMap(argumentsOf).find(endsServer);
    if (program !== undefined) return `${unit} stops this server: ${key}= runs ${program.slice(0, 2).join(" ")}`;
  }
  return null;
}

/** What the server stands on, and targets, which hold many others. */
function isNeeded(name: string): boolean {
  return name.endsWith(".target") || (/\.(?:service|socket)$/.test(name) && !parseManagedUnit(name).ok);
}

/** `{ path=/bin/true ; argv[]=/bin/true -x ; ignore_errors=no ; … }`, one after the other on a line. */
function argumentsOf(value: string): readonly (readonly string[])[] {
  return [...value.matchAll(/argv\[\]=(.*?) ;/g)].map(([, argv = ""]) => argv.split(" "));
}

function endsServer([program = "", ...words]: readonly string[]): boolean {
  return (
    ENDING_PROGRAM.test(program) || (/(?:^|\/)systemctl$/.test(program) && words.some((word) => ENDING_VERB.test(word)))
  );
}
