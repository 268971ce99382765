import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { byDanger, type Finding } from "@holdfast/core/base/finding.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Domain, DomainName, Mismatch, TunnelActs } from "@holdfast/core/domain.ts";
import type { Foreign } from "@holdfast/core/foreign.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { type TunnelAct, type TunnelOutcome, unacknowledged } from "@holdfast/core/plan/tunnel-act.ts";
import { digestOf } from "../digest.ts";
import type { StepOrigin } from "../os/action-rules.ts";
import { operateIpsec } from "../os/ipsec-operation.ts";
import { perform, readFacts, rehearse, type Machine } from "../os/perform.ts";
import { sharedReading } from "./shared-reading.ts";

/** Any domain, its config and observations seen as what they are on the wire. */
export type AnyDomain = Domain<Json, Json>;
export type Registry = { readonly [Name in DomainName]?: AnyDomain };

/** What was read from the server, and the digest of what is ours in it. */
export interface Observation {
  readonly observed: Json;
  readonly liveDigest: string;
}

export interface HandsPlan {
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  readonly nativeDiff: string;
  readonly touchesManagementPath: boolean;
  /** Items on which the live state differs from the confirmed one. */
  readonly drift: readonly string[];
  readonly observation: Observation;
}

/** One domain on this machine: its pure decisions, performed. Holds no state. */
export interface DomainHands {
  readonly domain: AnyDomain;
  /** What is there now. Those who ask at the same time may share a reading that begins after all of them asked. */
  observe(): Promise<Observation>;
  /** What others have set here. */
  foreign(): Promise<Foreign>;
  /** Plans from what is observed now, or from an observation that was made before. */
  plan(wish: PlanWish, given?: Json): Promise<HandsPlan>;
  /** `before`: what a plan to `desired` was made on a moment ago; then only what its steps changed need be read again. */
  verify(
    desired: Json | null,
    before?: Json,
    /** With it, also what of this path no longer holds. */
    managementPath?: ManagementPath,
  ): Promise<{
    readonly mismatches: readonly Mismatch[];
    readonly floorLost: readonly Mismatch[];
    /** What others had in `before` and have lost by the steps. */
    readonly collateral: readonly Mismatch[];
    readonly observation: Observation;
  }>;
  apply(step: Step): Promise<Result<null, string>>;
  /** Puts a snapshot back and reads back. */
  restore(snapshot: Json): Promise<Result<Observation, string>>;
  persist(config: Json | null, before?: Json): Promise<Result<null, string>>;
  /** Keeps going what is confirmed; changes nothing that is configured. */
  tend(config: Json): Promise<Result<null, string>>;
  /** What an operator may do to a tunnel in force; null where this domain has none. */
  readonly actOnTunnel: ((wish: TunnelActWish) => Promise<TunnelActed>) | null;
  /** Brings what is confirmed into force again. */
  load(config: Json | null, managementPath: ManagementPath): Promise<Result<Observation, string>>;
}

export interface PlanWish {
  readonly desired: Json | null;
  readonly confirmed: Json | null;
  readonly managementPath: ManagementPath;
  readonly rehearse: boolean;
}

export interface TunnelActWish {
  readonly act: TunnelAct;
  /** The confirmed config. */
  readonly config: Json | null;
  readonly managementPath: ManagementPath;
  /** Codes of dangers that the operator has read. */
  readonly acknowledged: readonly string[];
  /** Only says what it would do. */
  readonly preview: boolean;
}

export interface TunnelActed {
  readonly outcome: TunnelOutcome;
  readonly findings: readonly Finding[];
}

/** Milliseconds of one command. Whoever looks at the server waits for it, behind what is ours; a listing that takes longer is left out. */
const FOREIGN_TIMEOUT_MS = 5_000;

export function domainHands(domain: AnyDomain, machine: Machine): DomainHands {
  const observe = async (): Promise<Observation> => {
    const observed = domain.observe(await readFacts(machine, domain.name, domain.facts));
    return { observed, liveDigest: liveDigestOf(domain, observed) };
  };

  // For whoever only looks. What changes the server never waits for a reading that others have asked for.
  const look = sharedReading(observe);

  const observeAgain = async (before: Json, desired: Json | null): Promise<Observation> => {
    const queries = domain.readBack?.facts(before, desired) ?? null;
    if (domain.readBack === undefined || queries === null) return observe();
    const observed = domain.readBack.observe(before, await readFacts(machine, domain.name, queries));
    return { observed, liveDigest: liveDigestOf(domain, observed) };
  };

  const applyAll = async (steps: readonly Step[], origin: StepOrigin = "plan"): Promise<Result<null, string>> => {
    for (const step of steps) {
      const done = await perform(machine, step, origin);
      if (!done.ok) return err(`${step.title}: ${done.error}`);
    }
    return ok(null);
  };

  // A config never changes, and what is planned is planned again when it is prepared.
  const known = new WeakMap<object, readonly Finding[]>();
  const validated = (config: Json): readonly Finding[] => {
    if (typeof config !== "object" || config === null) return domain.validate(config);
    const findings = known.get(config) ?? domain.validate(config);
    known.set(config, findings);
    return findings;
  };

  const actOnTunnel = async (acts: TunnelActs<Json, Json>, wish: TunnelActWish): Promise<TunnelActed> => {
    const { act, config, managementPath, acknowledged, preview } = wish;
    const decision = acts.decide(config, (await observe()).observed, act, managementPath);
    const findings = decision.findings.toSorted(byDanger);
    if (decision.kind !== "possible") return { outcome: decision.kind, findings };
    if (preview) return { outcome: "possible", findings };
    if (unacknowledged(findings, acknowledged).length > 0) return { outcome: "refused", findings };
    const done = await operateIpsec(machine.root, decision.operation);
    return done.ok
      ? { outcome: "done", findings }
      : { outcome: "failed", findings: [acts.failed(act, done.error), ...findings] };
  };
  const { tunnelActs } = domain;

  return {
    domain,
    observe: look,
    foreign: async () => {
      const raw = await readFacts(machine, domain.name, domain.foreign.facts, FOREIGN_TIMEOUT_MS);
      return domain.foreign.read(raw);
    },

    plan: async (wish, given) => {
      const observation =
        given === undefined ? await look() : { observed: given, liveDigest: liveDigestOf(domain, given) };
      const { observed } = observation;
      const plan = domain.plan({
        desired: wish.desired,
        confirmed: wish.confirmed,
        observed,
        managementPath: wish.managementPath,
      });
      const findings = [...(wish.desired === null ? [] : validated(wish.desired)), ...plan.findings];
      for (const step of plan.steps) {
        const checked = await rehearse(machine, step, wish.rehearse);
        if (!checked.ok) findings.push(refusedStep(step, checked.error));
      }
      const drift =
        wish.confirmed === null ? [] : domain.verify(wish.confirmed, observed).map((mismatch) => mismatch.path);
      return {
        steps: plan.steps,
        findings: distinct(findings),
        nativeDiff: plan.nativeDiff,
        touchesManagementPath: plan.touchesManagementPath,
        drift,
        observation,
      };
    },

    verify: async (desired, before, managementPath) => {
      const observation = before === undefined ? await look() : await observeAgain(before, desired);
      const isAsked = desired !== null && managementPath !== undefined;
      return {
        mismatches: domain.verify(desired, observation.observed),
        collateral: before === undefined ? [] : (domain.collateral?.(desired, before, observation.observed) ?? []),
        floorLost: isAsked ? (domain.floorLost?.(desired, observation.observed, managementPath) ?? []) : [],
        observation,
      };
    },

    apply: (step) => perform(machine, step, "plan"),

    restore: async (snapshot) => {
      const wanted = liveDigestOf(domain, snapshot);
      const live = await observe();
      const restored = await applyAll(domain.restore(snapshot, live.observed), "snapshot");
      if (!restored.ok) return restored;
      const after = await observe();
      const left = domain.restored?.(snapshot, live.observed, after.observed);
      const isBack = left === undefined ? after.liveDigest === wanted : left.length === 0;
      const [first] = left ?? [];
      return isBack
        ? ok(after)
        : err(`what was read back is not what the snapshot holds${first === undefined ? "" : `: ${inWords(first)}`}`);
    },

    persist: async (config, before) => applyAll(domain.persist(config, before ?? (await observe()).observed)),

    tend: async (config) => applyAll(domain.tend?.(config, (await observe()).observed) ?? []),

    actOnTunnel: tunnelActs === undefined ? null : (wish) => actOnTunnel(tunnelActs, wish),

    load: async (config, managementPath) => {
      const before = await observe();
      const plan = domain.plan({ desired: config, confirmed: null, observed: before.observed, managementPath });
      const loaded = await applyAll(plan.steps);
      if (!loaded.ok) return loaded;
      const after = await observe();
      const [mismatch] = domain.loaded?.(config, after.observed) ?? domain.verify(config, after.observed);
      return mismatch === undefined ? ok(after) : err(inWords(mismatch));
    },
  };
}

/** The digest that two observations share when what is ours is the same in both. */
export function liveDigestOf(domain: AnyDomain, observed: Json): string {
  return digestOf(domain.ours(observed));
}

export function stepDigest(step: Step): string {
  return digestOf(step as unknown as Json);
}

export function inWords(mismatch: Mismatch): string {
  return `${mismatch.path}: expected ${mismatch.expected}, found ${mismatch.found}`;
}

function refusedStep(step: Step, why: string): Finding {
  return {
    severity: "error",
    code: `${step.domain}.step_refused`,
    path: step.id,
    message: `The server would not take this step: ${why.trim()}`,
    remedy:
      "Change the setting that the message names; if it names none, report it: the plan should not have contained this step.",
  };
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) seen.set(canonicalJson([finding.code, finding.path, finding.message]), finding);
  return [...seen.values()].sort(byDanger);
}
