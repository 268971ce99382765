import { randomBytes } from "node:crypto";
import { Ledger } from "@holdfast/agent/ledger/ledger.ts";
import { writeTransaction } from "@holdfast/agent/ledger/transaction-file.ts";
import { systemClock } from "@holdfast/agent/os/clock.ts";
import { namesIn } from "@holdfast/agent/os/files.ts";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { DomainName } from "@holdfast/core/domain.ts";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import type { TransactionDraft } from "@holdfast/core/ledger/record.ts";
import type { ModuleStep } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";

/** One transaction that the kit has prepared, with all that the guard would know of it. */
export interface KitTransaction {
  readonly requestId: string;
  readonly config: Json | null;
  readonly configJson: string;
  readonly confirmedJson: string;
  readonly snapshotJson: string;
  readonly steps: readonly ModuleStep[];
}

/** What a record may add to its kind; everything else is the kit's. */
type DetailOf<Kind extends LedgerKind> = Extract<TransactionDraft, { kind: Kind }>["detail"];

const DIGEST_OF_NOTHING = "0".repeat(64);
/** Milliseconds. No automatic undo is armed by the kit, so the number is only a well-formed one. */
const WINDOW_MS = 120_000;

/** Writes what the guard would write, into a ledger that belongs to the kit alone. Must be closed. */
export class LedgerWriter {
  readonly #ledger: Ledger;
  readonly #snapshots: string;
  readonly #domain: DomainName;

  private constructor(ledger: Ledger, snapshots: string, domain: DomainName) {
    this.#ledger = ledger;
    this.#snapshots = snapshots;
    this.#domain = domain;
  }

  /** @throws Error when there is a ledger already: it may be that of a real server */
  static async open(folder: string, snapshots: string, domain: DomainName): Promise<LedgerWriter> {
    if (namesIn(folder).length > 0) {
      throw new Error(`${folder} is not empty: the kit writes transactions of its own and takes an empty folder only`);
    }
    return new LedgerWriter(await Ledger.open(folder, systemClock), snapshots, domain);
  }

  /** The transaction that is not at rest. */
  openRequest(): { readonly requestId: string; readonly last: LedgerKind } | null {
    return openTransaction(this.#ledger.read());
  }

  /** `prepared`, with config and snapshot on disk before; then `armed`. */
  async prepareAndArm(transaction: KitTransaction): Promise<void> {
    const { requestId, config, snapshotJson } = transaction;
    const configJson = canonicalJson({
      domains: { [this.#domain]: config },
      managementPath: { controlPlane: [], inbound: [] },
      trial: { reconnectSeconds: 15, windowSeconds: WINDOW_MS / 1000 },
    });
    const snapshots = new Map([[this.#domain, JSON.parse(snapshotJson) as Json]]);
    const manifestDigest = writeTransaction(this.#snapshots, requestId, { configJson, snapshots });
    await this.#append(requestId, "prepared", {
      applyId: "",
      changeId: "",
      actor: "conformance kit",
      transactionKind: "forward",
      configDigest: DIGEST_OF_NOTHING,
      planDigest: DIGEST_OF_NOTHING,
      baseGeneration: this.#ledger.read().generation,
      manifestDigest,
      budgetMs: WINDOW_MS,
      windowMs: WINDOW_MS,
      reconnectMs: WINDOW_MS,
      domains: [this.#domain],
    });
    await this.#append(requestId, "armed", {
      nonceSha256: DIGEST_OF_NOTHING,
      deadlineMs: systemClock.boottimeMs() + WINDOW_MS,
    });
  }

  async stepBegin(requestId: string, step: ModuleStep): Promise<void> {
    const { id, title, digest } = step;
    await this.#append(requestId, "step_begin", { stepId: id, title, domain: this.#domain, digest });
  }

  async stepDone(requestId: string, step: ModuleStep): Promise<void> {
    await this.#append(requestId, "step_done", { stepId: step.id, liveDigest: "" });
  }

  /** `persist` is called where the guard does: after the word that the change stays, before the word that it is whole. */
  async confirm(requestId: string, persist: () => Promise<void>): Promise<void> {
    const deadlineMs = systemClock.boottimeMs() + WINDOW_MS;
    const monotonicNs = String(systemClock.monotonicNs());
    await this.#append(requestId, "on_trial", { liveDigests: {}, deadlineMs, reconnectByMs: deadlineMs, monotonicNs });
    const generation = this.#ledger.read().generation + 1;
    await this.#append(requestId, "confirmed", { generation, configDigest: DIGEST_OF_NOTHING });
    await persist();
    await this.#append(requestId, "finalized", { generation, liveDigest: "" });
  }

  async reverting(requestId: string): Promise<void> {
    await this.#append(requestId, "reverting", REASON);
  }

  async reverted(requestId: string): Promise<void> {
    await this.#append(requestId, "reverted", { ...REASON, liveDigest: "", changed: true });
  }

  /** Keeps the ledger's lock while `task` runs; what it is given writes `reverting` under that lock. */
  async hold(requestId: string, task: (reverting: () => void) => Promise<void>): Promise<void> {
    await this.#ledger.exclusively(({ state, append }) =>
      task(() => {
        const written = append({ kind: "reverting", requestId, fence: state.maxFence, detail: REASON });
        if (!written.ok) throw new Error(written.error.message);
      }),
    );
  }

  close(): void {
    this.#ledger.close();
  }

  async #append<Kind extends LedgerKind>(requestId: string, kind: Kind, detail: DetailOf<Kind>): Promise<void> {
    const { maxFence } = this.#ledger.read();
    const fence = kind === "prepared" ? maxFence + 1 : maxFence;
    const draft = { kind, requestId, fence, detail } as unknown as TransactionDraft;
    const written = await this.#ledger.append(draft);
    if (!written.ok) throw new Error(`the kit's own ledger refused ${kind}: ${written.error.message}`);
  }
}

const REASON = { code: "conformance.undo", message: "The conformance kit undoes its own transaction." };

/** A UUIDv7: ids of transactions sort by time. */
export function newRequestId(): string {
  const hex = Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
  const variant = ((parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
