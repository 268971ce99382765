import type { Finding } from "../base/finding.ts";
import type { IpsecOperation } from "./ipsec-state.ts";

/**
 * What an operator may do to a tunnel that is in force, beside changing its document. It changes no configuration and is no transaction: nothing
 * is on trial and nothing is undone, so what it cuts is said before and asked for by name.
 */

export const TUNNEL_VERBS = ["initiate", "terminate", "rekey"] as const;
export type TunnelVerb = (typeof TUNNEL_VERBS)[number];

/** The child that carries packets, or the IKE association with everything that was agreed under it. */
export const TUNNEL_PARTS = ["child", "ike"] as const;
export type TunnelPart = (typeof TUNNEL_PARTS)[number];

export interface TunnelAct {
  readonly tunnel: string;
  readonly verb: TunnelVerb;
  /** To begin is always to begin both. */
  readonly of: TunnelPart;
}

/** What is meant where nobody says which part: keys wear out in the child, and a tunnel that is ended is ended whole. */
export const USUAL_PART = {
  initiate: "child",
  terminate: "ike",
  rekey: "child",
} as const satisfies Record<TunnelVerb, TunnelPart>;

/** What an agent answers. `possible`: it was only asked. */
export const TUNNEL_OUTCOMES = ["possible", "nothing_to_do", "done", "refused", "failed"] as const;
export type TunnelOutcome = (typeof TUNNEL_OUTCOMES)[number];

export type TunnelDecision =
  | { readonly kind: "refused" | "nothing_to_do"; readonly findings: readonly Finding[] }
  | { readonly kind: "possible"; readonly findings: readonly Finding[]; readonly operation: IpsecOperation };

/** Dangers that nobody has said to have read. */
export function unacknowledged(findings: readonly Finding[], codes: readonly string[]): readonly Finding[] {
  return findings.filter(({ severity, code }) => severity === "danger" && !codes.includes(code));
}
