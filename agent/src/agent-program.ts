import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { Ledger } from "./ledger/ledger.ts";
import { domainHands, type DomainHands, type Registry } from "./module/domain-hands.ts";
import { plainInit } from "./os/init-plain.ts";
import { systemdInit } from "./os/init-systemd.ts";
import type { Init } from "./os/init.ts";
import { KeptAnswers } from "./os/kept-answers.ts";
import { Nft } from "./os/nft.ts";
import type { Machine } from "./os/perform.ts";
import { selfCommand } from "./os/processes.ts";
import { openBasis, type RoleBasis } from "./role-basis.ts";

/** What the one bundle is made of: the domains it knows, and its version. */
export interface AgentProgram {
  readonly registry: Registry;
  readonly version: string;
}

/** What every role of the program starts with. */
export interface Role extends RoleBasis {
  readonly program: AgentProgram;
  readonly init: Init;
  readonly machine: Machine;
}

/** `forPeople`: as openBasis has it. */
export function openRole(program: AgentProgram, root: string, name: string, forPeople: boolean): Result<Role, string> {
  const basis = openBasis(root, name, forPeople);
  if (!basis.ok) return basis;
  const { paths, settings, clock } = basis.value;
  return ok({
    ...basis.value,
    program,
    init:
      settings.init === "systemd" ? systemdInit() : plainInit(paths, selfCommand(), forPeople ? "ignore" : "inherit"),
    machine: { root, nft: new Nft(`${paths.run}/nft`), kept: new KeptAnswers(() => clock.wallMs()) },
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
