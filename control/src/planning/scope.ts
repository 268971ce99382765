import { holdsEverywhere, holdsOn } from "@holdfast/core/access/grant.ts";
import type { Permission } from "@holdfast/core/api/account.ts";
import type { Caller } from "../api/caller.ts";
import { refuse } from "../api/refused.ts";
import { labelsOf, type World, type WorldServer } from "./world.ts";

export interface Reach {
  readonly server: WorldServer;
  /** Labels that it will have; with other ones than now, the permission is needed in both places. */
  readonly labelsAfter: Readonly<Record<string, string>>;
  /** Empty: not known, or none in particular. */
  readonly domains: readonly string[];
}

/** Refuses with the names of all servers that the caller may see and not do this to. */
export function assertReach(caller: Caller, permission: Permission, world: World, reaches: readonly Reach[]): void {
  const beyond = reaches.filter(({ server, labelsAfter, domains }) => {
    const now = holdsOn(caller.grants, permission, { name: server.name, labels: labelsOf(world, server) }, domains);
    return !now || !holdsOn(caller.grants, permission, { name: server.name, labels: labelsAfter }, domains);
  });
  if (beyond.length === 0) return;
  const seen = beyond.filter(({ server }) => maySee(caller, world, server)).map(({ server }) => server.name);
  const hidden = beyond.length - seen.length;
  const names = [
    ...seen,
    ...(hidden === 0 ? [] : [`${hidden} server${hidden === 1 ? "" : "s"} that you may not see`]),
  ].join(", ");
  refuse("access.out_of_scope", `You do not have the permission ${permission} on ${names}.`);
}

export function maySee(caller: Caller, world: World, server: WorldServer): boolean {
  return holdsOn(caller.grants, "view", { name: server.name, labels: labelsOf(world, server) });
}

/** What concerns no server yet (a group nobody uses, a policy that selects nothing) still needs somebody whose word counts everywhere. */
export function assertEverywhere(caller: Caller, permission: Permission): void {
  if (!holdsEverywhere(caller.grants, permission))
    refuse(
      "access.out_of_scope",
      `The change concerns no server that you have the permission ${permission} on; only an account with it on every server may do this.`,
    );
}
