import type { Mismatch } from "@holdfast/core/domain.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { SystemObserved } from "./facts.ts";
import { isEntrance } from "./guard-people.ts";
import type { SystemConfig } from "./model.ts";
import { verifySystem } from "./verify.ts";

/** Who gets in is not what was confirmed, or nobody listens where those who mend the server come in. */
export function floorLost(
  confirmed: SystemConfig,
  observed: SystemObserved,
  path: ManagementPath,
): readonly Mismatch[] {
  if (observed.foundProblem !== null || observed.booting) return [];
  const managed = new Set(path.inbound.flatMap(({ tcpPorts }) => tcpPorts));
  const entrances = verifySystem(confirmed, observed).filter(({ path: slot }) => isEntrance(slot));
  const silent = (confirmed.ssh?.port ?? []).filter((port) => managed.has(port) && !observed.listening.includes(port));
  const told = new Set(entrances.map(({ expected }) => expected));
  return [
    ...entrances,
    ...silent
      .map((port) => ({ path: "ssh", expected: `sshd on port ${port}`, found: "nobody listens there" }))
      .filter(({ expected }) => !told.has(expected)),
  ];
}
