import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Lack } from "@holdfast/core/capability/lack.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import { openTransaction, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import {
  ModuleService,
  type MismatchMessageSchema,
  type ModuleVerifyResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import type { LacksSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readTransaction } from "../ledger/transaction-file.ts";
import { runAbout } from "../log/about.ts";
import { type Log, reasonOf } from "../log/log.ts";
import { readManagementPath } from "../management-path.ts";
import { toConnectError, type RefusalCode } from "../rpc/refusal.ts";
import { stepDigest, type DomainHands, type Observation } from "./domain-hands.ts";
import { findingMessage } from "./finding-message.ts";
import type { PacketLog } from "./packet-log.ts";
import { configReader, readJson } from "./read-configs.ts";
import { serveTunnelAct } from "./serve-tunnel-act.ts";

/**
 * `ModuleService` over one domain: M1 to M7 of module.proto. It remembers its last plan only to save time; what it does not remember it
 * plans again, from the snapshot that the transaction was prepared on, and gets the same steps (M4).
 */
export interface ModuleOptions {
  readonly hands: DomainHands;
  readonly ledger: Ledger;
  readonly snapshots: string;
  readonly version: string;
  readonly log: Log;
  /** Null for a domain that decides nothing about packets. */
  readonly packets: PacketLog | null;
}

type LedgerLook = Parameters<Parameters<Ledger["exclusively"]>[0]>[0];

interface Planned {
  readonly configJson: string;
  readonly observation: Observation;
  readonly steps: readonly Step[];
  readonly at: number;
}

/** Milliseconds. A snapshot asked for right after its plan is what the plan was made on; later it is read anew. */
const PLAN_OBSERVATION_LIFE_MS = 5_000;

export function moduleRoutes({
  hands,
  ledger,
  snapshots,
  version,
  log,
  packets,
}: ModuleOptions): (router: ConnectRouter) => void {
  const { domain } = hands;
  const readConfig = configReader(domain);
  let planned: Planned | null = null;

  /** What the last plan was made on, when it was a plan to this very config for a transaction that is under way. */
  const before = (request: { configJson: string; requestId: string }): Json | undefined =>
    request.requestId !== "" && planned?.configJson === request.configJson ? planned.observation.observed : undefined;

  const parse = (field: string, text: string): Json | null => {
    const parsed = readConfig(field, text);
    if (parsed === null) return null;
    if (parsed.ok) return parsed.config;
    const [first] = parsed.findings;
    throw refuse("module.config_invalid", `${field}${first === undefined ? "" : `: ${first.path}: ${first.message}`}`);
  };

  const stepOf = async (request: {
    requestId: string;
    stepId: string;
    stepDigest: string;
    configJson: string;
    confirmedJson: string;
    managementPathJson: string;
  }): Promise<Step> => {
    const wanted = (step: Step): boolean => step.id === request.stepId && stepDigest(step) === request.stepDigest;
    const remembered = planned?.steps.find(wanted);
    if (remembered !== undefined) return remembered;
    const transaction = readTransaction(snapshots, request.requestId, manifestOf(ledger.read(), request.requestId));
    if (!transaction.ok) throw refuse("module.snapshot_unreadable", transaction.error);
    const wish = {
      desired: parse("config_json", request.configJson),
      confirmed: parse("confirmed_json", request.confirmedJson),
      managementPath: managementPathOf(request),
      rehearse: false,
    };
    const again = await hands.plan(wish, transaction.value.snapshots.get(domain.name));
    const found = again.steps.find(wanted);
    if (found === undefined)
      throw refuse("module.step_unknown", `the plan has no step ${request.stepId} of that digest`);
    return found;
  };

  const verifyMessage = async (
    config: Json | null,
    from: Json | undefined,
    path?: ManagementPath,
    withCollateral = false,
  ): Promise<MessageInitShape<typeof ModuleVerifyResponseSchema>> => {
    const { mismatches, collateral, floorLost, observation } = await hands.verify(config, from, path);
    return {
      mismatches: [...mismatches, ...(withCollateral ? collateral : [])].map(mismatchMessage),
      floorLost: floorLost.map(mismatchMessage),
      liveDigest: observation.liveDigest,
      lacks: lacksMessage(domain.lacks(observation.observed)),
    };
  };

  /** Not told at all rather than in the way of what is ours. */
  const toldForeign = async (): Promise<string> => {
    try {
      return canonicalJson(await hands.foreign());
    } catch (error) {
      log.warn("what others have set was not read", { domain: domain.name }, { reason: reasonOf(error) });
      return "";
    }
  };

  /** What changes the server: under the ledger's lock, and every line of it, of native commands too, says whose it is. */
  const working = <T>(
    what: string,
    requestId: string,
    step: string,
    work: (look: LedgerLook) => Promise<T>,
  ): Promise<T> =>
    runAbout({ requestId, domain: domain.name }, async () => {
      const about = { requestId, domain: domain.name };
      const started = performance.now();
      const more = (): Readonly<Record<string, unknown>> => ({
        ...(step === "" ? {} : { step }),
        milliseconds: Math.round(performance.now() - started),
      });
      try {
        const done = await ledger.exclusively(work);
        log.info(`${what} done`, { ...about, resultCode: "ok" }, more());
        return done;
      } catch (error) {
        log.warn(`${what} not done`, { ...about, resultCode: "module.failed" }, { ...more(), reason: reasonOf(error) });
        throw error;
      }
    });

  return (router) => {
    router.service(ModuleService, {
      describe: () => ({ domain: domain.name, name: "holdfast", version, available: true, reason: "" }),

      observe: async () => {
        const { observed, liveDigest } = await hands.observe();
        return { observedJson: canonicalJson(observed), liveDigest, foreignJson: await toldForeign() };
      },

      getState: async () => {
        const { observed, liveDigest } = await hands.observe();
        return { observedJson: canonicalJson(observed), liveDigest, lacks: lacksMessage(domain.lacks(observed)) };
      },

      validate: (request) => {
        const parsed = readConfig("config_json", request.configJson);
        if (parsed === null) return { findings: [] };
        return { findings: (parsed.ok ? domain.validate(parsed.config) : parsed.findings).map(findingMessage) };
      },

      plan: async (request) => {
        const desired = readConfig("config_json", request.configJson);
        if (desired !== null && !desired.ok)
          return { findings: desired.findings.map(findingMessage), liveDigest: (await hands.observe()).liveDigest };
        const plan = await hands.plan({
          desired: desired === null ? null : desired.config,
          confirmed: parse("confirmed_json", request.confirmedJson),
          managementPath: managementPathOf(request),
          rehearse: request.rehearse,
        });
        planned = {
          configJson: request.configJson,
          observation: plan.observation,
          steps: plan.steps,
          at: performance.now(),
        };
        return {
          steps: plan.steps.map((step) => ({
            id: step.id,
            title: step.title,
            budgetMs: BigInt(step.budgetMs),
            digest: stepDigest(step),
          })),
          findings: plan.findings.map(findingMessage),
          nativeDiff: plan.nativeDiff,
          liveDigest: plan.observation.liveDigest,
          touchesManagementPath: plan.touchesManagementPath,
          drift: [...plan.drift],
        };
      },

      snapshot: async () => {
        const fresh = planned !== null && performance.now() - planned.at < PLAN_OBSERVATION_LIFE_MS;
        const { observed, liveDigest } = fresh && planned !== null ? planned.observation : await hands.observe();
        return { snapshotJson: canonicalJson(observed), digest: liveDigest };
      },

      // Outside of the ledger's lock: looking at packets must never keep an apply waiting.
      readPackets: (request) =>
        packets?.read(request) ?? {
          refusedCode: "packets.unsupported",
          refusedMessage: `the module ${domain.name} decides nothing about packets`,
        },

      // M2, I6: the lock is held from the look at the ledger until the server is changed.
      applyStep: (request) =>
        working("step", request.requestId, request.stepId, async ({ state }) => {
          if (!isAtStepBegin(state, request.requestId, request.stepId, request.stepDigest)) {
            throw refuse(
              "module.not_at_step_begin",
              `the ledger's last word on ${request.requestId} is not step_begin of ${request.stepId}`,
            );
          }
          const done = await hands.apply(await stepOf(request));
          if (!done.ok) throw refuse("module.step_failed", done.error);
          return { liveDigest: "" };
        }),

      verify: (request) =>
        verifyMessage(
          parse("config_json", request.configJson),
          before(request),
          request.managementPathJson === "" ? undefined : managementPathOf(request),
          true,
        ),

      restore: (request) =>
        working("restore", request.requestId, "", async () => {
          const snapshot = readJson("snapshot_json", request.snapshotJson);
          const restored = await hands.restore(snapshot);
          if (restored.ok) return { mismatches: [], liveDigest: restored.value.liveDigest };
          return {
            mismatches: [{ path: "", expected: "the snapshot", found: restored.error }],
            liveDigest: (await hands.observe()).liveDigest,
          };
        }),

      persist: (request) =>
        working("persist", request.requestId, "", async () => {
          const config = parse("config_json", request.configJson);
          const from = before(request);
          const persisted = await hands.persist(config, from);
          planned = null;
          if (!persisted.ok)
            return {
              mismatches: [{ path: "", expected: "the boot config written", found: persisted.error }],
              liveDigest: "",
            };
          return verifyMessage(config, from);
        }),

      // Another domain's module does not know it.
      ...(hands.actOnTunnel === null
        ? {}
        : {
            actOnTunnel: serveTunnelAct({
              act: hands.actOnTunnel,
              ledger,
              log,
              read: (request) => ({
                config: parse("config_json", request.configJson),
                managementPath: managementPathOf(request),
              }),
            }),
          }),

      load: (request) =>
        working("load", request.requestId, "", async ({ state }) => {
          const config = parse("config_json", request.configJson);
          // Under the lock: whoever begins a transaction after this look waits until what is confirmed is in force.
          if (openTransaction(state) !== null)
            throw refuse("module.transaction_open", "a transaction is open, and what is in force is its matter");
          const loaded = await hands.load(config, { controlPlane: [], inbound: [] });
          if (loaded.ok) return { mismatches: [], liveDigest: loaded.value.liveDigest };
          return {
            mismatches: [{ path: "", expected: "the confirmed config in force", found: loaded.error }],
            liveDigest: (await hands.observe()).liveDigest,
          };
        }),
    });
  };

  function managementPathOf(request: { managementPathJson: string }) {
    const path = readManagementPath(readJson("management_path_json", request.managementPathJson));
    if (!path.ok) throw refuse("module.config_invalid", `management_path_json: ${path.error}`);
    return path.value;
  }
}

function isAtStepBegin(state: LedgerState, requestId: string, stepId: string, digest: string): boolean {
  const transaction = transactionOf(state, requestId);
  const step = transaction?.lastStep;
  return transaction?.last === "step_begin" && step?.stepId === stepId && step.digest === digest;
}

function manifestOf(state: LedgerState, requestId: string): string | null {
  return transactionOf(state, requestId)?.prepared?.manifestDigest ?? null;
}

function refuse(code: RefusalCode, message: string): Error {
  return toConnectError({ code, message });
}

function lacksMessage(lacks: readonly Lack[]): MessageInitShape<typeof LacksSchema> {
  return { lacks: lacks.map((one) => ({ ...one })) };
}

function mismatchMessage(mismatch: Mismatch): MessageInitShape<typeof MismatchMessageSchema> {
  return { path: mismatch.path, expected: mismatch.expected, found: mismatch.found };
}
