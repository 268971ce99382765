import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { type Transaction, TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { expect } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import type { SystemdAgent } from "./systemd-agent.ts";

/** The way of a change on a real server, and how each step of it has to end. */

export const TRIAL = { windowSeconds: 90, reconnectSeconds: 90 };

export type Domains = Readonly<Record<string, Json>>;

export interface OnTrial {
  readonly id: string;
  readonly nonce: string;
}

export async function onTrial(agent: SystemdAgent, domains: Domains, overwriteDrift = false): Promise<OnTrial> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(id, domains, TRIAL, overwriteDrift);
  expect(prepared, words(prepared)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  const executed = await agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

export async function confirm(agent: SystemdAgent, { id, nonce }: OnTrial): Promise<void> {
  const confirmed = await agent.confirm(id, nonce);
  expect(confirmed, words(confirmed)).toMatchObject({ phase: TransactionPhase.FINALIZED });
}

export async function apply(agent: SystemdAgent, domains: Domains, overwriteDrift = false): Promise<void> {
  await confirm(agent, await onTrial(agent, domains, overwriteDrift));
}

export async function refused(agent: SystemdAgent, domains: Domains): Promise<string> {
  const prepared = await agent.prepareDomains(makeRequestId(), domains, TRIAL);
  expect(prepared.phase, words(prepared)).toBe(TransactionPhase.REFUSED);
  return words(prepared);
}

export async function abort(agent: SystemdAgent, id: string): Promise<void> {
  const aborted = await agent.abort(id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED, serverIs: "as_before" });
}

export function words({ code, message }: Pick<Transaction, "code" | "message">): string {
  return `${code}: ${message}`;
}
