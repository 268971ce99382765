import type { MessageInitShape } from "@bufbuild/protobuf";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import {
  ModuleService,
  type ModuleApplyStepRequestSchema,
  type ModulePlanRequestSchema,
  type ModulePlanResponse,
  type ModuleStep,
} from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import { run } from "../servers/child.ts";
import { newRequestId, type KitTransaction, type LedgerWriter } from "./ledger-writer.ts";
import type { ModuleCase } from "./module-case.ts";
import type { Answer, ModuleClient } from "./module-client.ts";
import type { ModuleProcess } from "./module-process.ts";

const { method } = ModuleService;

/** A module did not do what the contract says; the message is for the person who writes it. */
export class ContractBroken extends Error {}

export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new ContractBroken(otherwise);
}

/** The message of an answer that must be one. */
export function must<Message>(answer: Answer<Message>, call: string): Message {
  if (answer.ok) return answer.message;
  throw new ContractBroken(`${call} failed with ${answer.status}: ${answer.text}`);
}

/** The server as the kit and as the module see it. */
export interface Look {
  readonly native: string;
  readonly liveDigest: string;
}

/** The module on the bench: its process, its ledger, the server that it changes, and what of that is known to be true. */
export class Bench {
  readonly moduleCase: ModuleCase;
  readonly domain: DomainName;
  readonly module: ModuleProcess;
  readonly ledger: LedgerWriter;
  /** Live digest by native text, and the other way round: whatever happens, one server has one digest. */
  readonly #digestOf = new Map<string, string>();
  #confirmed: Json | null = null;
  #open: KitTransaction | null = null;

  constructor(moduleCase: ModuleCase, domain: DomainName, module: ModuleProcess, ledger: LedgerWriter) {
    this.moduleCase = moduleCase;
    this.domain = domain;
    this.module = module;
    this.ledger = ledger;
  }

  get client(): ModuleClient {
    return this.module.client;
  }

  /** Runs one of the case's commands. @throws Error when it fails: that is a fault of the case */
  async command(argv: readonly [string, ...string[]]): Promise<string> {
    const { code, stdout, stderr } = await run(argv);
    if (code !== 0) throw new Error(`the case's command "${argv.join(" ")}" ended with ${code}: ${stderr.trim()}`);
    return stdout;
  }

  /** Reads the server without the module, asks the module, and holds it to its own earlier words. */
  async look(): Promise<Look> {
    const native = await this.command(this.moduleCase.native);
    const { liveDigest } = must(await this.client.call(method.getState, {}), "GetState");
    demand(/^[0-9a-f]{64}$/.test(liveDigest), `live_digest "${liveDigest}" is no lower-case SHA-256`);
    const before = this.#digestOf.get(native);
    demand(
      before === undefined || before === liveDigest,
      "GetState gives another live_digest than before for a server that is the same",
    );
    const twin = [...this.#digestOf].find(([text, digest]) => digest === liveDigest && text !== native);
    demand(
      twin === undefined,
      "GetState gives a live_digest that it gave before, for a server that was another one then",
    );
    this.#digestOf.set(native, liveDigest);
    return { native, liveDigest };
  }

  /** Demands that nothing has changed since. */
  async unchangedSince(before: Look, what: string): Promise<void> {
    const now = await this.look();
    demand(
      now.native === before.native,
      `${what} changed the server. Before:\n${before.native}\nAfter:\n${now.native}`,
    );
  }

  planRequest(config: Json | null): MessageInitShape<typeof ModulePlanRequestSchema> {
    return {
      configJson: canonicalJson(config),
      confirmedJson: canonicalJson(this.#confirmed),
      managementPathJson: canonicalJson(this.moduleCase.managementPath),
    };
  }

  async plan(config: Json | null): Promise<ModulePlanResponse> {
    const plan = must(await this.client.call(method.plan, this.planRequest(config)), "Plan");
    const error = plan.findings.find((finding) => finding.severity === "error");
    demand(error === undefined, `Plan finds an error in a valid config of the case: ${error?.path}: ${error?.message}`);
    return plan;
  }

  /** Plans, takes a snapshot and writes the ledger up to `armed`. */
  async prepare(config: Json | null): Promise<KitTransaction> {
    const plan = await this.plan(config);
    const { snapshotJson } = must(await this.client.call(method.snapshot, { requestId: "" }), "Snapshot");
    const transaction: KitTransaction = {
      requestId: newRequestId(),
      config,
      configJson: canonicalJson(config),
      confirmedJson: canonicalJson(this.#confirmed),
      snapshotJson,
      steps: plan.steps,
    };
    this.#open = transaction;
    await this.ledger.prepareAndArm(transaction);
    return transaction;
  }

  /** Prepares and writes `step_begin` of the first step, which a case must have. */
  async prepareAtFirstStep(config: Json | null): Promise<{ transaction: KitTransaction; step: ModuleStep }> {
    const transaction = await this.prepare(config);
    const [step] = transaction.steps;
    demand(step !== undefined, "Plan has no step from config a to config b");
    await this.ledger.stepBegin(transaction.requestId, step);
    return { transaction, step };
  }

  applyStep(
    transaction: KitTransaction,
    step: ModuleStep,
    instead: MessageInitShape<typeof ModuleApplyStepRequestSchema> = {},
  ) {
    return this.client.call(method.applyStep, {
      requestId: transaction.requestId,
      stepId: step.id,
      stepDigest: step.digest,
      configJson: transaction.configJson,
      confirmedJson: transaction.confirmedJson,
      managementPathJson: canonicalJson(this.moduleCase.managementPath),
      ...instead,
    });
  }

  /** All steps that come after `from` of a transaction that is at rest between two of them. */
  async applyFrom(transaction: KitTransaction, from = 0): Promise<void> {
    for (const step of transaction.steps.slice(from)) {
      await this.ledger.stepBegin(transaction.requestId, step);
      must(await this.applyStep(transaction, step), `ApplyStep ${step.id}`);
      await this.ledger.stepDone(transaction.requestId, step);
    }
  }

  /** A whole transaction: afterwards the config is in force, confirmed and persisted. */
  async put(config: Json | null): Promise<void> {
    const transaction = await this.prepare(config);
    await this.applyFrom(transaction);
    const verified = must(await this.client.call(method.verify, { configJson: transaction.configJson }), "Verify");
    const [mismatch] = verified.mismatches;
    demand(
      mismatch === undefined,
      `after all steps Verify says ${mismatch?.path}: expected ${mismatch?.expected}, found ${mismatch?.found}`,
    );
    await this.confirm(transaction);
  }

  /** What the guard does with a config that stays: it is persisted between `confirmed` and `finalized`. */
  async confirm({ requestId, config, configJson }: KitTransaction): Promise<void> {
    await this.ledger.confirm(requestId, async () => {
      must(await this.client.call(method.persist, { configJson }), "Persist");
    });
    this.#open = null;
    this.#confirmed = config;
  }

  restore(transaction: KitTransaction) {
    return this.client.call(method.restore, {
      requestId: transaction.requestId,
      snapshotJson: transaction.snapshotJson,
    });
  }

  /** What the revert does: `reverting`, restore, `reverted`. */
  async undo(transaction: KitTransaction): Promise<void> {
    if (this.ledger.openRequest()?.last !== "reverting") await this.ledger.reverting(transaction.requestId);
    const { mismatches } = must(await this.restore(transaction), "Restore");
    demand(
      mismatches.length === 0,
      `Restore answers with mismatches: ${mismatches[0]?.path}: found ${mismatches[0]?.found}`,
    );
    await this.ledger.reverted(transaction.requestId);
    this.#open = null;
  }

  /** Undoes what a check has left open, whatever it left, so that the next one begins on firm ground. */
  async settle(): Promise<void> {
    await this.module.start();
    const open = this.#open;
    if (open !== null && this.ledger.openRequest()?.requestId === open.requestId) await this.undo(open);
    this.#open = null;
  }
}
