/** The whole verification: the log by itself, what was kept beside it, and what servers keep. */
import { ACCUSES, AUDIT_STANDINGS, type AuditStanding } from "@holdfast/core/audit/standing.ts";
import type { AskServers, HeldByServer, HeldHeads } from "./ask-servers.ts";
import type { AuditVerdict, AuditWitness } from "./witness.ts";

export interface Verification {
  /** With what servers accuse it of. */
  readonly verdict: AuditVerdict;
  readonly held: HeldHeads;
  /** What would be begun by whoever accepts the log as it is; null while there is nothing to accept, or nothing that could be. */
  readonly nextEpoch: number | null;
}

export async function verifyEverywhere(
  witness: AuditWitness,
  askServers: AskServers,
  kept?: { readonly entries: number; readonly head: string },
): Promise<Verification> {
  const own = await witness.verify(kept);
  // After the walk: what is signed while it lasts is in the log when it is looked for.
  const held = await askServers();
  // A head that somebody brings along is theirs: what it says of the log is no reason to accept another one.
  return { verdict: withServers(own, held.servers), held, nextEpoch: kept === undefined ? nextEpoch(own, held) : null };
}

/** A log that is whole by itself is broken all the same when a server proves that there was more of it, or another one. */
export function withServers(own: AuditVerdict, servers: readonly HeldByServer[]): AuditVerdict {
  if (!own.intact) return own;
  const accusing = servers.filter(({ standing }) => ACCUSES[standing] === "log");
  if (accusing.length === 0) return own;
  const forks = accusing.flatMap(({ standing, head }) =>
    standing === "forked" && head !== null ? [head.entries] : [],
  );
  return forks.length === 0
    ? { ...own, intact: false, brokenAt: own.entries + 1, reason: "cut_off" }
    : // Somewhere up to the first head that does not fit.
      { ...own, intact: false, brokenAt: Math.min(...forks), reason: "rewritten" };
}

function nextEpoch(own: AuditVerdict, { epoch, servers }: HeldHeads): number | null {
  const isAccused = servers.some(({ standing }) => ACCUSES[standing] === "log");
  // Broken by itself it can be accepted by nobody; a head that does not fit can be.
  const holdsByItself = own.intact || own.reason === "cut_off" || own.reason === "rewritten";
  if (!holdsByItself || own.entries === 0 || (own.intact && !isAccused)) return null;
  const known = servers.flatMap(({ standing, head }) => (head !== null && standing !== "unproven" ? [head.epoch] : []));
  return Math.max(epoch, ...known) + 1;
}

/** Every standing, also those that no server has. */
export function countStandings(servers: readonly HeldByServer[]): Record<AuditStanding, number> {
  const counts = Object.fromEntries(AUDIT_STANDINGS.map((standing) => [standing, 0])) as Record<AuditStanding, number>;
  for (const { standing } of servers) counts[standing] += 1;
  return counts;
}

const NOTABLE_MOST = 100;
/** What accuses the log stands first. */
const ORDER = {
  ahead: 0,
  forked: 1,
  unproven: 2,
  refuses: 3,
  unsupported: 4,
  none: 5,
  holds: 6,
} as const satisfies Record<AuditStanding, number>;

export function notable(servers: readonly HeldByServer[]): readonly HeldByServer[] {
  return servers
    .filter(({ standing }) => standing !== "holds")
    .toSorted((a, b) => ORDER[a.standing] - ORDER[b.standing])
    .slice(0, NOTABLE_MOST);
}
