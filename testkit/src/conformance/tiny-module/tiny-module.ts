import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import {
  mismatchesOf,
  nativeDiff,
  digestOf,
  parseSettings,
  planSettings,
  stepDigest,
  withStep,
  type TinyFinding,
  type TinyStep,
} from "./tiny-decisions.ts";
import { TinyLedger } from "./tiny-ledger.ts";
import type { ModuleHandlers } from "./tiny-server.ts";
import { Refusal } from "./tiny-server.ts";
import { readSettings, writeSettings, type Settings } from "./tiny-state.ts";

export interface TinyPlaces {
  /** The folder that the module looks after. */
  readonly state: string;
  readonly ledger: string;
  readonly snapshots: string;
}

/** What it would cost to write a few lines, with room for a slow disk. */
const STEP_BUDGET_MS = 5_000n;
const NOTHING: Settings = {};

/**
 * A whole module in one file: all calls of ModuleService over the made-up settings. It keeps nothing between two calls. It exists to show
 * what a module in another language has to do, and that the contract can be kept without the agent's code.
 */
export function tinyModule({ state, ledger: ledgerFolder, snapshots }: TinyPlaces): ModuleHandlers {
  const ledger = new TinyLedger(ledgerFolder);
  const live = (): Settings => readSettings(state, "live");
  const digestOfLive = (): string => digestOf({ settings: live() });
  const seen = () => ({ observedJson: canonicalJson({ settings: live() }), liveDigest: digestOfLive() });
  const verified = (desired: Settings) => ({
    mismatches: [...mismatchesOf(desired, live())],
    liveDigest: digestOfLive(),
  });

  return {
    describe: () => ({ domain: "system", name: "tiny", version: "1", available: true, reason: "" }),
    observe: seen,
    getState: seen,
    readPackets: () => ({ refusedCode: "packets.unsupported", refusedMessage: "made-up settings meet no packets" }),
    actOnTunnel: () => {
      throw new Refusal(status.UNIMPLEMENTED, "module.unimplemented", "only a module of the vpn domain has tunnels");
    },
    snapshot: () => ({ snapshotJson: seen().observedJson, digest: digestOfLive() }),

    validate: ({ configJson }) => {
      const parsed = parseConfig("config_json", configJson);
      return { findings: "findings" in parsed ? parsed.findings.map(asFinding) : [] };
    },

    plan: ({ configJson, confirmedJson, managementPathJson }) => {
      const confirmed = settingsIn("confirmed_json", confirmedJson);
      readJson("management_path_json", managementPathJson);
      const parsed = parseConfig("config_json", configJson);
      if ("findings" in parsed) return { findings: parsed.findings.map(asFinding), liveDigest: digestOfLive() };
      const steps = planSettings(parsed.settings, live());
      return {
        steps: steps.map((step) => ({
          id: step.id,
          title: step.title,
          budgetMs: STEP_BUDGET_MS,
          digest: stepDigest(step),
        })),
        nativeDiff: nativeDiff(steps, live()),
        liveDigest: digestOfLive(),
        drift: confirmedJson === "null" ? [] : mismatchesOf(confirmed, live()).map(({ path }) => path),
      };
    },

    applyStep: (request) =>
      ledger.exclusively(() => {
        const word = ledger.lastWordOn(request.requestId);
        if (word?.kind !== "step_begin" || word.stepId !== request.stepId || word.digest !== request.stepDigest) {
          throw new Refusal(
            status.FAILED_PRECONDITION,
            "module.not_at_step_begin",
            `the ledger's last word on ${request.requestId} is not step_begin of ${request.stepId}`,
          );
        }
        const step = stepOf(settingsIn("config_json", request.configJson), request);
        writeSettings(state, "live", withStep(live(), step));
        return { liveDigest: digestOfLive() };
      }),

    verify: ({ configJson }) => verified(settingsIn("config_json", configJson)),

    restore: ({ snapshotJson }) => {
      const snapshot = parseSettings(readJson("snapshot_json", snapshotJson));
      if ("findings" in snapshot)
        throw new Refusal(
          status.INVALID_ARGUMENT,
          "module.snapshot_unreadable",
          inWords("snapshot_json", snapshot.findings),
        );
      return putInForce(snapshot.settings);
    },

    load: ({ configJson }) => putInForce(settingsIn("config_json", configJson)),

    persist: ({ configJson }) => {
      const settings = settingsIn("config_json", configJson);
      return ledger.exclusively(() => {
        writeSettings(state, "boot", settings);
        return verified(settings);
      });
    },
  };

  function putInForce(settings: Settings) {
    return ledger.exclusively(() => {
      writeSettings(state, "live", settings);
      return verified(settings);
    });
  }

  /** The step that the ledger names, planned again on what was there when the transaction was prepared: the live state has moved since. */
  function stepOf(
    desired: Settings,
    { requestId, stepId, stepDigest: digest }: { requestId: string; stepId: string; stepDigest: string },
  ): TinyStep {
    const found = planSettings(desired, settingsAtPrepare(requestId)).find(
      (step) => step.id === stepId && stepDigest(step) === digest,
    );
    if (found === undefined)
      throw new Refusal(
        status.FAILED_PRECONDITION,
        "module.step_unknown",
        `the plan has no step ${stepId} of that digest`,
      );
    return found;
  }

  function settingsAtPrepare(requestId: string): Settings {
    const path = join(snapshots, requestId, "transaction.json");
    const content = existsSync(path)
      ? (JSON.parse(readFileSync(path, "utf8")) as { snapshots: { system?: unknown } })
      : null;
    const parsed = parseSettings(content?.snapshots.system);
    if ("findings" in parsed)
      throw new Refusal(
        status.INVALID_ARGUMENT,
        "module.snapshot_unreadable",
        `${path} has no snapshot of this module`,
      );
    return parsed.settings;
  }
}

function parseConfig(field: string, text: string): ReturnType<typeof parseSettings> {
  const value = readJson(field, text);
  return value === null ? { settings: NOTHING } : parseSettings(value);
}

function settingsIn(field: string, text: string): Settings {
  const parsed = parseConfig(field, text);
  if ("findings" in parsed)
    throw new Refusal(status.INVALID_ARGUMENT, "module.config_invalid", inWords(field, parsed.findings));
  return parsed.settings;
}

function readJson(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(status.INVALID_ARGUMENT, "module.config_invalid", `${field} is not JSON`);
  }
}

function inWords(field: string, findings: readonly TinyFinding[]): string {
  return `${field}: ${findings.map(({ path, message }) => `${path}: ${message}`).join("; ")}`;
}

function asFinding({ path, message }: TinyFinding) {
  return { severity: "error", code: "tiny.config", path, message, remedy: "Correct the setting." };
}
