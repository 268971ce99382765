import { isUuid } from "@holdfast/core/base/id.ts";
import { openRole, type AgentProgram, type Role } from "./agent-program.ts";
import { runBoot, runRecover, runTend } from "./boot/boot-roles.ts";
import { numberOption, readArguments, type Arguments } from "./cli/arguments.ts";
import { enrollHere } from "./cli/enroll-command.ts";
import { HELP } from "./cli/help.ts";
import { confirmByHand, explainLast, showStatus, undoByHand } from "./cli/local-commands.ts";
import { moveControlPlane } from "./cli/move-command.ts";
import { complain, print } from "./cli/print.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { runGuard } from "./guard/guard-role.ts";
import { runModule } from "./module/module-role.ts";
import { runRevert } from "./revert/revert-role.ts";
import { runSession } from "./session/session-role.ts";
import { runAll } from "./supervise/run-role.ts";
import { runCapture } from "./tool/capture-role.ts";

type Handler = (role: Role, args: Arguments) => Promise<ExitCode> | ExitCode;

const readyFd = (args: Arguments): number | null => numberOption(args.values["ready-fd"]);

/** Everything the one bundle can be, by the first word of its command line. */
const COMMANDS: Readonly<Record<string, Handler>> = {
  session: (role, args) => runSession(role, readyFd(args)),
  guard: (role, args) => runGuard(role, readyFd(args)),
  module: (role, args) => runModule(role, args.positionals[1] ?? "", readyFd(args)),
  capture: (role) => runCapture(role),
  boot: (role) => runBoot(role, { kind: "boot_unit" }),
  recover: (role) => runRecover(role),
  tend: (role) => runTend(role),
  run: (role, args) => runAll(role, readyFd(args)),
  revert,
  enroll: enrollHere,
  move: moveControlPlane,
  status: (role, args) => showStatus(role, args.values.json),
  why: (role, args) => explainLast(role, args.positionals[1]),
  confirm: (role, args) => confirmByHand(role, args.values.yes),
  version: (role) => {
    print(role.program.version);
    return EXIT.done;
  },
};

const PEOPLES_COMMANDS: ReadonlySet<string> = new Set(["enroll", "status", "why", "confirm", "move", "version"]);

/** With a request id it is the role that undoes, started by timers and guards; without one it is a person who asks. */
function revert(role: Role, args: Arguments): Promise<ExitCode> | ExitCode {
  const requestId = args.positionals[1];
  if (requestId === undefined) return undoByHand(role, args.values.yes);
  if (!isUuid(requestId)) {
    complain(`${requestId} is no request id`);
    return EXIT.usage;
  }
  const { reason } = args.values;
  return runRevert(role, {
    requestId,
    afterMs: numberOption(args.values["after-ms"]),
    reason: reason === undefined ? null : { code: "operator.undone_on_server", message: reason },
    readyDescriptor: readyFd(args),
  });
}

/** Runs one role or command to its end. */
export async function runAgent(program: AgentProgram, argv: readonly string[]): Promise<ExitCode> {
  const args = readArguments(argv);
  if (!args.ok) {
    complain(`${args.error}\n${HELP}`);
    return EXIT.usage;
  }
  const [name = "help"] = args.value.positionals;
  if (args.value.values.help || name === "help") {
    print(HELP);
    return EXIT.done;
  }
  const handler = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (handler === undefined) {
    complain(`There is no command "${name}".\n${HELP}`);
    return EXIT.usage;
  }
  const forPeople = PEOPLES_COMMANDS.has(name) || (name === "revert" && args.value.positionals.length === 1);
  const role = openRole(program, args.value.values.root, name, forPeople);
  if (!role.ok) {
    complain(role.error);
    return EXIT.failed;
  }
  return handler(role.value, args.value);
}
