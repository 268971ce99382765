import type { Json } from "@holdfast/core/base/canonical-json.ts";

/**
 * Statements of a rule in the shape in which `nft -j list` gives them back, so that what we build and what we read are printed by one
 * function (nft-text.ts) and compared by value.
 */
export type Statement = { readonly [key: string]: Json };
export type Operand = string | number | { readonly [key: string]: Json };

export type MetaKey = "iifname" | "oifname" | "l4proto" | "nfproto" | "time";

export function match(left: Json, right: Json, op: "==" | "!=" | "<" | "in" = "=="): Statement {
  return { match: { op, left, right } };
}

export function payload(protocol: string, field: string): Json {
  return { payload: { protocol, field } };
}

export function meta(key: MetaKey): Json {
  return { meta: { key } };
}

export function ct(key: "state" | "status"): Json {
  return { ct: { key } };
}

/** Whether the destination is an address of this server; with `iif`, of the interface the packet came in by. */
export function destinationType(...flags: readonly "iif"[]): Json {
  return { fib: { result: "type", flags: ["daddr", ...flags] } };
}

/** One value as itself, several as an anonymous set. An empty list is a bug: it would match everything or nothing. */
export function oneOf(values: readonly Operand[]): Json {
  const [only] = values;
  if (only === undefined) throw new Error("an anonymous set cannot be empty");
  return values.length === 1 ? only : { set: [...values] };
}

export function counter(name: string): Statement {
  return { counter: name };
}

/** A counter without a name, which lives and ends with its rule. */
export const inlineCounter: Statement = { counter: {} };

export function limit(rate: { readonly count: number; readonly per: string }, burst: number, over: boolean): Statement {
  return { limit: { rate: rate.count, burst, per: rate.per, ...(over ? { inv: true } : {}) } };
}

export function log(prefix: string): Statement {
  return { log: { prefix } };
}

export const accept: Statement = { accept: null };
export const drop: Statement = { drop: null };

export function jump(target: string): Statement {
  return { jump: { target } };
}

export function goto(target: string): Statement {
  return { goto: { target } };
}
