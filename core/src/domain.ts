import type { Json } from "./base/canonical-json.ts";
import type { Finding } from "./base/finding.ts";
import type { Lack } from "./capability/lack.ts";
import type { Foreign } from "./foreign.ts";
import type { PacketWatch } from "./net/packet-watch.ts";
import type { IpsecFailure } from "./plan/ipsec-state.ts";
import type { ManagementPath } from "./plan/management-path.ts";
import type { Probe } from "./plan/probe.ts";
import type { Step } from "./plan/step.ts";
import type { TunnelAct, TunnelDecision } from "./plan/tunnel-act.ts";

export const DOMAINS = ["system", "network", "firewall", "vpn"] as const;
/** The four kinds of settings, in the order in which additions are applied; removals and undo run in reverse. */
export type DomainName = (typeof DOMAINS)[number];

/**
 * Something a domain wants read from the server, as data: the agent's `os` room performs it and nothing else.
 * Commands run with LC_ALL=C and TZ=UTC, so that what they print does not depend on the server's language and time zone.
 */
export type FactQuery =
  | {
      readonly kind: "command";
      readonly name: string;
      readonly argv: readonly [string, ...string[]];
      /** A file without which there is nobody to ask: then nothing is run, and the answer is a failure. */
      readonly onlyWith?: string;
      /** Folders that decide the answer, with the folders right in them: while no entry there has changed, it may be the one of before. */
      readonly whileSame?: readonly string[];
    }
  | { readonly kind: "file"; readonly name: string; readonly path: string }
  /** What stands at a path, links not followed, as JSON `Entry`. */
  | { readonly kind: "entry"; readonly name: string; readonly path: string }
  /** The files of a folder whose names end so, as JSON: name to text. Links are followed, other folders are not. */
  | { readonly kind: "folder"; readonly name: string; readonly path: string; readonly suffix: string }
  /** All kernel settings below this folder that can be read, as JSON: key in dots to value with single spaces. */
  | { readonly kind: "sysctl"; readonly name: string; readonly path: string }
  /** The modules that the kernel has already, those of this folder and those built in, as JSON list of names with `_`. */
  | { readonly kind: "modules"; readonly name: string; readonly path: string }
  /** The accounts of this folder's passwd, group and shadow, as JSON list of `Account`. No key, no hash, only whether there are any. */
  | { readonly kind: "accounts"; readonly name: string; readonly path: string }
  /** What strongSwan's daemon says of itself, and which keys lie in this folder, as JSON `IpsecReading`. */
  | { readonly kind: "ipsec"; readonly name: string; readonly path: string };

/** A file, a link, nothing, or something that is not for us: `other` says why. */
export type Entry =
  | { readonly type: "absent" }
  | { readonly type: "file"; readonly mode: number; readonly text: string }
  | { readonly type: "link"; readonly target: string }
  | { readonly type: "other"; readonly why: string };

export type Account = {
  readonly name: string;
  readonly uid: number;
  readonly shell: string;
  /** All of them, its own one included. */
  readonly groups: readonly string[];
  /** Its own group. */
  readonly primary: string;
  readonly comment: string;
  /** The day since 1970 from which nobody enters by it, "" for never; null: could not be read. */
  readonly expires: string | null;
  /** Lines that look like keys in the two files where sshd looks by itself; null: they could not be looked at. */
  readonly keys: number | null;
  readonly password: "set" | "locked" | "unknown";
};

/** What reading it gave. `status` is the exit code of a command, or 0 / 1 for a file that is there / absent. */
export interface RawFact {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
export type RawFacts = Readonly<Record<string, RawFact>>;

/** A difference between what should be and what was read back. */
export interface Mismatch {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** What the plan of one domain for one server needs to know beside the config. */
export interface PlanInput<Config, Observed> {
  /** What the server should have; null when nothing of this domain is ours any more (then everything of ours is taken away). */
  readonly desired: Config | null;
  /** The confirmed config that is in force, null when there is none yet. */
  readonly confirmed: Config | null;
  readonly observed: Observed;
  readonly managementPath: ManagementPath;
}

export interface DomainPlan {
  readonly steps: readonly Step[];
  /** Unified diff of native text, `confirmed and live` against `desired`; empty when nothing changes. */
  readonly nativeDiff: string;
  readonly findings: readonly Finding[];
  /** Whether anything that carries management traffic changes: then the trial soaks, and the floor may ask for a person. */
  readonly touchesManagementPath: boolean;
}

export interface ReadBack<Config extends Json, Observed extends Json> {
  /** What to read; null where reading everything is as good. `before` is what the plan was made on. */
  facts(before: Observed, desired: Config | null): readonly FactQuery[] | null;
  /** What was read, put into `before`. */
  observe(before: Observed, raw: RawFacts): Observed;
}

export interface TunnelActs<Config extends Json, Observed extends Json> {
  /** Whether it can be done now, and what it would cut and open. */
  decide(config: Config | null, observed: Observed, act: TunnelAct, managementPath: ManagementPath): TunnelDecision;
  /** What came of it, in words. */
  failed(act: TunnelAct, failure: IpsecFailure): Finding;
}

/**
 * The one shape of every domain. All of it is pure: descriptions go in, descriptions come out, and the agent's modules perform them.
 *
 * @typeParam Config   the domain's part of an effective config: concrete, canonical JSON, no references left
 * @typeParam Observed what was read from the server, foreign objects included
 */
export interface Domain<Config extends Json, Observed extends Json> {
  readonly name: DomainName;
  /** What to read. */
  readonly facts: readonly FactQuery[];
  /** Raw facts to observed. Never throws on what a server answers: what cannot be read is said in `Observed`. */
  observe(raw: RawFacts): Observed;
  /** What others have set in this domain's field, read when somebody looks at the server, and never to plan: opaque, in its order. */
  readonly foreign: { readonly facts: readonly FactQuery[]; readonly read: (raw: RawFacts) => Foreign };
  /** What this server cannot do, whatever the config: told before anybody plans on it. */
  lacks(observed: Observed): readonly Lack[];
  /** An effective config from outside, checked; the error is findings that name the field. */
  parseConfig(
    value: unknown,
  ): { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly findings: readonly Finding[] };
  /** The desired config alone. */
  validate(config: Config): readonly Finding[];
  /** Steps, native diff and findings, the guard's (management path) included. Nothing is changed. */
  plan(input: PlanInput<Config, Observed>): DomainPlan;
  /**
   * Desired to native text, for people, diffs and the boot file. What can only be known on the server (the kernel's name of an interface that
   * is bound by hardware address) is taken from `observed`; with null it is left out and said so in a comment.
   */
  render(config: Config, observed: Observed | null): string;
  /** Read-back against desired. Empty means equal; a verify that could not read says so as a mismatch. */
  verify(desired: Config | null, observed: Observed): readonly Mismatch[];
  /**
   * What others had set, which the steps from `before` to `desired` were to leave in place or to make again, and which is gone. Asked where only what
   * the steps have changed is read back: when the last one is done, and when a trial of a moment is confirmed. After a longer one others may have taken it away, and
   * a module that was started anew in between does not know `before`. Absent: no step of this domain reaches what others have set.
   */
  collateral?(desired: Config | null, before: Observed, after: Observed): readonly Mismatch[];
  /** The canonical form of what is ours in `observed`: its digest is the domain's live digest. Volatile parts (counters, handles) are out. */
  ours(observed: Observed): Json;
  /** A typed snapshot to the steps that put it back. Must work with nothing but the snapshot: no network, no control plane. */
  restore(snapshot: Observed, live: Observed): readonly Step[];
  /**
   * Whether an undo has put the server back, where that is more than an equal live digest: `before` is what was there when it began. Without
   * it the digests of `ours` are compared.
   */
  restored?(snapshot: Observed, before: Observed, after: Observed): readonly Mismatch[];
  /** Files and units that make the confirmed config the boot config, as steps; run after confirm, before `finalized`. */
  persist(config: Config | null, observed: Observed): readonly Step[];
  /**
   * What must hold after the confirmed config was loaded on a boot, where a daemon that the domain needs comes later by itself and with what
   * is confirmed. Without it that is what `verify` says.
   */
  loaded?(config: Config | null, observed: Observed): readonly Mismatch[];
  /**
   * What of the management path no longer holds in what is live, although it is confirmed and nobody asked for it through us: more than drift.
   * It never says so of what could not be read. Absent: nothing in this domain carries the floor by itself.
   */
  floorLost?(confirmed: Config, observed: Observed, managementPath: ManagementPath): readonly Mismatch[];
  /**
   * A command that prints lines when somebody changes what this domain owns, so that a loss is seen at once and not at the next look. It is read
   * only for that something has moved; where it cannot run, looks from time to time are all there is.
   */
  readonly moves?: readonly [string, ...string[]];
  /** What keeps a confirmed config going where it does not by itself, from time to time; it changes nothing that is configured. */
  tend?(config: Config, observed: Observed): readonly Step[];
  /**
   * A cheaper way to read back after this domain's own steps, for domains whose state can be large: only what the steps were meant to change
   * is read again and put into what was read before. What others change elsewhere meanwhile is found by the next whole reading, as drift.
   */
  readonly readBack?: ReadBack<Config, Observed>;
  /** How its decisions can be looked at while they are made, for a domain that decides about packets. */
  readonly watch?: PacketWatch;
  /** What an operator may do to a tunnel that is in force: the vpn domain's alone. */
  readonly tunnelActs?: TunnelActs<Config, Observed>;
  /** What must be probed before and after, derived from config and expectations. */
  probes(config: Config): readonly Probe[];
}
