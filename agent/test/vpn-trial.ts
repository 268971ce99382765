import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { type Transaction, TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { expect } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import type { SystemdAgent } from "./systemd-agent.ts";

/** One end of a tunnel with its agent. */
export interface End {
  readonly server: LabServer;
  readonly agent: SystemdAgent;
}

/** Long enough for an exchange of keys and a rekey on a busy machine. */
export const TRIAL = { windowSeconds: 100, reconnectSeconds: 100 };

export interface Trial {
  readonly id: string;
  readonly nonce: string;
}

export function words(transaction: Pick<Transaction, "code" | "message">): string {
  return `${transaction.code}: ${transaction.message}`;
}

export async function prepared(end: End, vpn: Json | null, overwriteDrift = false): Promise<string> {
  const id = makeRequestId();
  const transaction = await end.agent.prepareDomains(id, vpn === null ? {} : { vpn }, TRIAL, overwriteDrift);
  expect(transaction, words(transaction)).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  return id;
}

export async function onTrial(end: End, vpn: Json | null, overwriteDrift = false): Promise<Trial> {
  const [id, nonce] = [await prepared(end, vpn, overwriteDrift), makeNonce()];
  const executed = await end.agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

export async function confirm(end: End, { id, nonce }: Trial): Promise<void> {
  const confirmed = await end.agent.confirm(id, nonce);
  expect(confirmed, words(confirmed)).toMatchObject({ phase: TransactionPhase.FINALIZED });
}

export async function abort({ agent }: End, { id }: Trial): Promise<void> {
  const aborted = await agent.abort(id);
  expect(aborted, words(aborted)).toMatchObject({ phase: TransactionPhase.REVERTED });
}

/** What the vpn module has seen of charon, as far as tests ask. */
export interface SeenCharon {
  readonly keys: readonly string[];
  readonly sas: readonly { readonly name: string; readonly virtualAddresses: readonly string[] }[];
  readonly pools: readonly { readonly size: number; readonly online: number }[];
}

export async function seen({ agent }: End): Promise<{ readonly charon: SeenCharon; readonly drift: boolean }> {
  const state = (await (await agent.guard()).getState({ withObserved: true })).domains.find(
    ({ domain }) => domain === "vpn",
  );
  if (state === undefined) throw new Error("there is no vpn module");
  expect(state.error).toBe("");
  const observed = JSON.parse(state.observedJson) as { readonly ipsec: { readonly charon: SeenCharon } };
  return { charon: observed.ipsec.charon, drift: state.drift };
}

/** What the server says of the vpn domain, held against what is confirmed. */
export async function drift({ agent }: End): Promise<unknown> {
  return (await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "vpn");
}
