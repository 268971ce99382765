/** How many people besides its author must approve a change: what its floors ask of every change, and what they ask where it is risky. */
import { canonicalJson } from "../base/canonical-json.ts";
import type { DomainName } from "../domain.ts";
import { formatDuration } from "../policy/duration.ts";

/** What a floor asks where all of these conditions hold. A condition that is absent asks for nothing; at least one is there. */
export interface ApprovalRule {
  readonly approvals: number;
  /** The change is for at least so many of the servers under this floor. */
  readonly servers?: number;
  readonly managementPath?: true;
  readonly domains?: readonly DomainName[];
  readonly failedWithinSeconds?: number;
}

/** One server of a change, with what it asks and what the change's newest plan would do to it. */
export interface ServerAtRisk {
  /** Of its floors before as well as after: a change must not lift the floor that stands in its own way. */
  readonly approvals: number;
  readonly rules: readonly ApprovalRule[];
  readonly breakGlass: boolean;
  /** False: it has what is asked already, or is not planned. */
  readonly isChanged: boolean;
  readonly touchesManagementPath: boolean;
  readonly domains: readonly string[];
  /** When an apply failed there last, null when none did; the same clock as `nowMs`. */
  readonly failedAtMs: number | null;
}

export interface ApprovalDemand {
  readonly needed: number;
  /** Why so many, each a sentence, without the name of any server: whoever may see the change may read it. */
  readonly because: readonly string[];
  /** Whether every server that asks for an approval lets a person go first in an emergency. */
  readonly mayBreakGlass: boolean;
}

export function approvalDemand(servers: readonly ServerAtRisk[], nowMs: number): ApprovalDemand {
  const always = Math.max(0, ...servers.map(({ approvals }) => approvals));
  const rules = new Map(servers.flatMap((server) => server.rules.map((rule) => [canonicalJson({ ...rule }), rule])));
  const held = [...rules].flatMap(([key, rule]) => {
    const under = servers.filter(
      (server) => server.isChanged && server.rules.some((one) => canonicalJson({ ...one }) === key),
    );
    const because = reasonsOf(rule, under, nowMs);
    return because === null ? [] : [{ key, rule, because }];
  });
  const needed = Math.max(always, ...held.map(({ rule }) => rule.approvals));
  const asking = servers.filter(
    (server) =>
      server.approvals > 0 || server.rules.some((rule) => held.some(({ key }) => key === canonicalJson({ ...rule }))),
  );
  return {
    needed,
    because: [
      ...(always > 0 ? [`Every change under this floor needs ${people(always)}.`] : []),
      ...held
        .filter(({ rule }) => rule.approvals > always)
        .map(({ rule, because }) => `It needs ${people(rule.approvals)}, because it ${because.join(" and it ")}.`),
    ],
    mayBreakGlass: asking.length > 0 && asking.every(({ breakGlass }) => breakGlass),
  };
}

/** Null: one of the conditions does not hold for these servers. */
function reasonsOf(rule: ApprovalRule, under: readonly ServerAtRisk[], nowMs: number): readonly string[] | null {
  const { servers, managementPath, domains, failedWithinSeconds } = rule;
  if (under.length === 0) return null;
  const reasons: string[] = [];
  if (servers !== undefined) {
    if (under.length < servers) return null;
    reasons.push(`is for ${under.length} servers (${servers} or more)`);
  }
  if (managementPath !== undefined) {
    if (!under.some(({ touchesManagementPath }) => touchesManagementPath)) return null;
    reasons.push("touches the way by which a server is managed");
  }
  if (domains !== undefined) {
    const touched = domains.filter((domain) => under.some((server) => server.domains.includes(domain)));
    if (touched.length === 0) return null;
    reasons.push(`changes ${touched.join(" and ")}`);
  }
  if (failedWithinSeconds !== undefined) {
    const sinceMs = nowMs - failedWithinSeconds * 1_000;
    if (!under.some(({ failedAtMs }) => failedAtMs !== null && failedAtMs >= sinceMs)) return null;
    reasons.push(`is for a server on which an apply failed in the last ${formatDuration(failedWithinSeconds)}`);
  }
  return reasons;
}

function people(count: number): string {
  return count === 1 ? "1 approval" : `${count} approvals`;
}
