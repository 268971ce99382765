import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DomainName, Mismatch } from "@holdfast/core/domain.ts";
import { hasGivenUp } from "@holdfast/core/floor/keep-floor.ts";
import { openTransaction, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { DomainStateSchema, FloorStateSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { ModuleVerifyResponse } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import type { Lacks } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { reasonOf } from "../log/log.ts";
import { readLocalFloor, unitePaths } from "../management-path.ts";
import type { GuardContext } from "./context.ts";
import type { GuardConfig } from "./effective-config.ts";
import { readRepairs } from "./floor-repairs.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { confirmedConfig, pathJson } from "./planning.ts";

export type DomainStateMessage = MessageInitShape<typeof DomainStateSchema>;

/** What one domain is, held against what is confirmed. A module that does not answer is said so, and hides nothing of the others. */
export async function domainState(
  context: GuardContext,
  domain: DomainName,
  withObserved: boolean,
): Promise<DomainStateMessage> {
  const state = context.ledger.read();
  const confirmedTransaction = state.confirmed === null ? null : transactionOf(state, state.confirmed.requestId);
  const confirmedDigest = confirmedTransaction?.onTrial?.liveDigests[domain] ?? "";
  try {
    const client = await context.modules.of(domain);
    const confirmed = confirmedConfig(context);
    if (!confirmed.ok) return { domain, confirmedDigest, error: confirmed.error };
    const config = confirmed.value;
    const { observedJson, foreignJson } = withObserved
      ? await client.observe({}, { timeoutMs: MODULE_READ_TIMEOUT_MS })
      : { observedJson: "", foreignJson: "" };
    const observed = { observedJson, foreignJson };
    if (config === null || !config.domains.has(domain)) {
      const { liveDigest, lacks } = await client.getState({}, { timeoutMs: MODULE_READ_TIMEOUT_MS });
      return { domain, ...observed, liveDigest, confirmedDigest, drift: false, ...told(lacks) };
    }
    const floor = readLocalFloor(context.paths.floor);
    const path = floor.ok ? unitePaths(config.managementPath, floor.value) : config.managementPath;
    const verified = await client.verify(
      { configJson: config.textOf(domain), requestId: "", managementPathJson: pathJson(path) },
      { timeoutMs: MODULE_READ_TIMEOUT_MS },
    );
    // What moved while this was read is the matter of what moved it.
    const after = context.ledger.read();
    const isAtRest =
      openTransaction(state) === null && openTransaction(after) === null && after.generation === state.generation;
    return {
      domain,
      ...observed,
      liveDigest: verified.liveDigest,
      confirmedDigest,
      drift: isAtRest && verified.mismatches.length > 0,
      differences: verified.mismatches.map(mismatch),
      ...told(verified.lacks),
      ...(isAtRest ? { floor: floorState(context, domain, config, verified) } : {}),
    };
  } catch (error) {
    return { domain, confirmedDigest, error: reasonOf(error) };
  }
}

/** Lost items in one line, for logs and people. */
export function lostInWords(lost: readonly Mismatch[]): string {
  return lost.map(({ path, expected, found }) => `${path}: expected ${expected}, found ${found}`).join("; ");
}

/** A module that says nothing of it leaves it out, which is not the same as saying that nothing is missing. */
function told(lacks: Lacks | undefined): { readonly lacks?: Lacks } {
  return lacks === undefined ? {} : { lacks };
}

function floorState(
  context: GuardContext,
  domain: DomainName,
  config: GuardConfig,
  verified: ModuleVerifyResponse,
): MessageInitShape<typeof FloorStateSchema> {
  const repairs = readRepairs(context);
  return {
    lost: verified.floorLost.map(mismatch),
    whenLost: config.whenFloorLost,
    repairs: repairs
      .filter((repair) => repair.domain === domain)
      .map(({ wallMs, lost, failure }) => ({ atMs: wallMs, lost, failure: failure ?? "it was begun and did not end" })),
    gaveUp: verified.floorLost.length > 0 && config.whenFloorLost === "repair" && hasGivenUp(repairs, domain),
  };
}

function mismatch({ path, expected, found }: Mismatch): NonNullable<DomainStateMessage["differences"]>[number] {
  return { path, expected, found };
}
