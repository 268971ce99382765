import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DomainName } from "@holdfast/core/domain.ts";
import { type FloorRepair, keepFloor, WHEN_FLOOR_LOST } from "@holdfast/core/floor/keep-floor.ts";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { LookAfterResponseSchema } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { reasonOf } from "../log/log.ts";
import type { GuardContext } from "./context.ts";
import { type DomainStateMessage, domainState, lostInWords } from "./domain-state.ts";
import { readRepairs, writeRepairs } from "./floor-repairs.ts";
import { confirmedConfig } from "./planning.ts";

/** A daemon that is restarted has its addresses and ports back by then, and is not told of. */
const LOOK_AGAIN_MS = 1_000;
/** Milliseconds that putting a domain back may take. */
const REPAIR_TIMEOUT_MS = 120_000;

/** Domains held against what is confirmed; where the floor is lost and says so, what is confirmed is put back (keep-floor.ts: F1 to F3). */
export async function lookAfter(
  context: GuardContext,
  wanted: readonly DomainName[],
  inTurn: (keep: () => Promise<DomainStateMessage>) => Promise<DomainStateMessage>,
): Promise<MessageInitShape<typeof LookAfterResponseSchema>> {
  const first = await Promise.all(
    wanted.map(async (domain) => ({ domain, seen: await domainState(context, domain, false) })),
  );
  if (first.some(({ seen }) => isLost(seen))) await sleep(LOOK_AGAIN_MS);
  const domains: DomainStateMessage[] = [];
  // One after the other: a firewall is put back on the interfaces that the network has put back.
  for (const { domain, seen } of first)
    domains.push(isLost(seen) ? await inTurn(() => keepDomain(context, domain)) : seen);
  return { domains, open: openTransaction(context.ledger.read()) !== null };
}

/** Domains of which something is confirmed; all of them when that cannot be read, so that the look says so. */
export function whereConfirmed(context: GuardContext, domains: readonly DomainName[]): readonly DomainName[] {
  const confirmed = confirmedConfig(context);
  return confirmed.ok ? domains.filter((domain) => confirmed.value?.domains.has(domain) === true) : domains;
}

async function keepDomain(context: GuardContext, domain: DomainName): Promise<DomainStateMessage> {
  const { log } = context;
  const state = await domainState(context, domain, false);
  const lost = lostInWords((state.floor?.lost ?? []).map(wholeMismatch));
  const ledger = context.ledger.read();
  const repairs = readRepairs(context);
  const answer = keepFloor({
    domain,
    whenLost: WHEN_FLOOR_LOST.find((one) => one === state.floor?.whenLost) ?? "alarm",
    isLost: isLost(state),
    isTransactionOpen: openTransaction(ledger) !== null,
    isLocked: ledger.lock !== null,
    repairs,
  });
  switch (answer) {
    case "nothing":
      return state;
    case "alarm":
      log.warn("the floor is lost", { domain, resultCode: "floor.lost" }, { lost });
      return state;
    case "gave_up":
      log.error(
        "the floor is lost again and again, and is left as it is",
        { domain, resultCode: "floor.gave_up" },
        { lost },
      );
      return state;
    case "repair":
      await repair(context, domain, lost, repairs);
      return domainState(context, domain, false);
  }
}

async function repair(
  context: GuardContext,
  domain: DomainName,
  lost: string,
  before: readonly FloorRepair[],
): Promise<void> {
  const { log, clock } = context;
  const begun = { domain, boottimeMs: clock.boottimeMs(), wallMs: clock.wallMs(), lost };
  log.warn("the floor is lost; what is confirmed is put back", { domain, resultCode: "floor.lost" }, { lost });
  try {
    writeRepairs(context, [...before, { ...begun, failure: null }]);
  } catch (error) {
    log.error("the floor is not put back", { domain, resultCode: "floor.repair_failed" }, { reason: reasonOf(error) });
    return;
  }
  const failure = await putBack(context, domain);
  try {
    writeRepairs(context, [...before, { ...begun, failure }]);
  } catch (error) {
    // It is counted already; only how it ended is not kept, and the other domains must still be looked at.
    log.error("how the repair ended could not be kept", { domain }, { reason: reasonOf(error) });
  }
  if (failure === "") log.warn("the floor is back", { domain, resultCode: "floor.repaired" }, { lost });
  else log.error("the floor could not be put back", { domain, resultCode: "floor.repair_failed" }, { reason: failure });
}

/** Live and for the next boot. Empty, or why it did not help. */
async function putBack(context: GuardContext, domain: DomainName): Promise<string> {
  try {
    const confirmed = confirmedConfig(context);
    if (!confirmed.ok) return confirmed.error;
    const request = { configJson: confirmed.value?.textOf(domain) ?? "null", requestId: "" };
    const client = await context.modules.of(domain);
    const loaded = await client.load(request, { timeoutMs: REPAIR_TIMEOUT_MS });
    if (loaded.mismatches.length > 0) return lostInWords(loaded.mismatches);
    return lostInWords((await client.persist(request, { timeoutMs: REPAIR_TIMEOUT_MS })).mismatches);
  } catch (error) {
    return reasonOf(error);
  }
}

function isLost(state: DomainStateMessage): boolean {
  return (state.floor?.lost ?? []).length > 0;
}

function wholeMismatch({
  path = "",
  expected = "",
  found = "",
}: NonNullable<DomainStateMessage["differences"]>[number]) {
  return { path, expected, found };
}
