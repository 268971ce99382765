import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { AgentRole } from "../agents/install-agent.ts";
import { isRunning, kill } from "../servers/process-table.ts";
import type { LabServer } from "../servers/server.ts";

/** Pids as the machine counts, found from outside: at once, and also when nothing inside answers any more. */
export function agentProcesses(server: LabServer, role: AgentRole): readonly number[] {
  const space = pidNamespace(server.initPid);
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => isRole(commandLine(pid), role) && pidNamespace(pid) === space && isRunning(pid));
}

/** How many there were. */
export function signalAgent(server: LabServer, role: AgentRole, signal: NodeJS.Signals): number {
  const pids = agentProcesses(server, role);
  for (const pid of pids) kill(pid, signal);
  return pids.length;
}

/** `node …/main.ts guard`, or `holdfast-agent guard` from the package: the role is the first word after the program. The session has its own. */
function isRole(argv: readonly string[], role: AgentRole): boolean {
  if (argv.some((word) => word.endsWith(`/holdfast-${role}.mjs`))) return true;
  const at = argv.indexOf(role);
  return at > 0 && /(holdfast-agent|main\.ts|\.m?js)$/.test(argv[at - 1] ?? "");
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // gone
  }
}

function pidNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/pid`);
  } catch {
    return "";
  }
}
