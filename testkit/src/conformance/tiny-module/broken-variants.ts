import { rmSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { ModuleApplyStepRequest } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { digestOf, parseSettings, withStep } from "./tiny-decisions.ts";
import { TinyLedger } from "./tiny-ledger.ts";
import type { ModuleHandlers } from "./tiny-server.ts";
import { readSettings, writeSettings } from "./tiny-state.ts";

interface Made {
  readonly honest: ModuleHandlers;
  readonly state: string;
  readonly ledger: string;
}

/** Modules that break one promise each, as real ones have done. The kit must find every one of them out. */
export const brokenVariants = {
  /** Takes the absence of an error for success: answers with what was asked for, not with what is there. */
  "lies-in-verify": ({ honest }) => ({
    ...honest,
    verify: async (request) => {
      const { liveDigest } = await honest.verify(request);
      return { mismatches: [], ...(liveDigest === undefined ? {} : { liveDigest }) };
    },
  }),

  /** Does what it is told, whatever the ledger says. */
  "ignores-the-ledger": ({ honest, state }) => ({ ...honest, applyStep: (request) => obey(state, request) }),

  /** Looks at the ledger before it has the lock, and acts on what it saw then. */
  "looks-before-it-locks": ({ honest, state, ledger }) => ({
    ...honest,
    applyStep: async (request) => {
      const word = new TinyLedger(ledger).lastWordOn(request.requestId);
      const allowed =
        word?.kind === "step_begin" && word.stepId === request.stepId && word.digest === request.stepDigest;
      return allowed ? obey(state, request) : honest.applyStep(request);
    },
  }),

  /** Leaves the order of its steps to chance. */
  "plans-by-chance": ({ honest }) => {
    let turn = 0;
    return {
      ...honest,
      plan: async (request) => {
        const plan = await honest.plan(request);
        turn += 1;
        const { steps = [], findings = [], nativeDiff = "", liveDigest = "", drift = [] } = plan;
        return { steps: turn % 2 === 0 ? steps.toReversed() : steps, findings, nativeDiff, liveDigest, drift };
      },
    };
  },

  /** Tidies up what it does not know. */
  "tidies-up-after-others": ({ honest, state }) => ({
    ...honest,
    load: (request) => {
      rmSync(join(state, "neighbour.conf"), { force: true });
      return honest.load(request);
    },
  }),

  /** Remembers what it has done instead of looking, and after a crash believes that it has done nothing. */
  "forgets-after-a-crash": ({ honest }) => {
    let remembered = { observedJson: canonicalJson({ settings: {} }), liveDigest: digestOf({ settings: {} }) };
    const remember = async () => {
      const { observedJson = "", liveDigest = "" } = await honest.getState({
        $typeName: "holdfast.v1.ModuleGetStateRequest",
      });
      remembered = { observedJson, liveDigest };
    };
    const thenRemember =
      <Request, Response>(call: (request: Request) => Response | Promise<Response>) =>
      async (request: Request): Promise<Response> => {
        const response = await call(request);
        await remember();
        return response;
      };
    return {
      ...honest,
      getState: () => remembered,
      applyStep: thenRemember(honest.applyStep),
      restore: thenRemember(honest.restore),
      load: thenRemember(honest.load),
    };
  },
} satisfies Record<string, (made: Made) => ModuleHandlers>;

/** Does a step by its name alone. */
function obey(state: string, { configJson, stepId }: ModuleApplyStepRequest): Record<string, never> {
  const config = parseSettings(JSON.parse(configJson) ?? { settings: {} });
  const [, verb, key = ""] = stepId.split(".");
  if ("findings" in config) return {};
  const value = verb === "set" ? (config.settings[key] ?? null) : null;
  writeSettings(state, "live", withStep(readSettings(state, "live"), { id: stepId, title: "", key, value }));
  return {};
}

export type Variant = keyof typeof brokenVariants;

export function isVariant(name: string): name is Variant {
  return Object.hasOwn(brokenVariants, name);
}
