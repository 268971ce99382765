import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { Ledger } from "./ledger/ledger.ts";
import { openLog, type Log } from "./log/log.ts";
import { domainHands, type DomainHands, type Registry } from "./module/domain-hands.ts";
import { systemClock, type Clock } from "./os/clock.ts";
import { plainInit } from "./os/init-plain.ts";
import { systemdInit } from "./os/init-systemd.ts";
import type { Init } from "./os/init.ts";
import { Nft } from "./os/nft.ts";
import type { Machine } from "./os/perform.ts";
import { selfCommand } from "./os/processes.ts";
import { agentPaths, type AgentPaths } from "./paths.ts";
import { readSettings, type Settings } from "./settings.ts";

/** What the one bundle is made of: the domains it knows, and its version. */
export interface AgentProgram {
  readonly registry: Registry;
  readonly version: string;
}

/** What every role of the program starts with. */
export interface Role {
  readonly program: AgentProgram;
  readonly paths: AgentPaths;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly init: Init;
  readonly machine: Machine;
}

/** `forPeople`: standard output is for what a person asked; log lines go to standard error. */
export function openRole(program: AgentProgram, root: string, name: string, forPeople: boolean): Result<Role, string> {
  const paths = agentPaths(root);
  const settings = readSettings(paths);
  if (!settings.ok) return settings;
  return ok({
    program,
    paths,
    settings: settings.value,
    clock: systemClock,
    log: openLog(name, forPeople ? 2 : 1),
    init:
      settings.value.init === "systemd"
        ? systemdInit()
        : plainInit(paths, selfCommand(), forPeople ? "ignore" : "inherit"),
    machine: { root, nft: new Nft(`${paths.run}/nft`) },
  });
}

export function handsOf(role: Role): (domain: DomainName) => DomainHands | null {
  return (name) => {
    const domain = role.program.registry[name];
    return domain === undefined ? null : domainHands(domain, role.machine);
  };
}

/** Opens the ledger, or says why it cannot be. */
export async function openLedger(role: Role): Promise<Result<Ledger, string>> {
  try {
    return ok(await Ledger.open(role.paths.ledger, role.clock));
  } catch (error) {
    return err(
      `the ledger in ${role.paths.ledger} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
