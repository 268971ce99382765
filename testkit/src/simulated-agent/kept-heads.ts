import { type KeyObject, sign } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { keeping, type KeptHeads, receiptBody, receiptText } from "@holdfast/agent/guard/audit-head.ts";
import type { KeepAuditHeadRequest, KeepAuditHeadResponseSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";

type Answer = MessageInitShape<typeof KeepAuditHeadResponseSchema>;

/** Keeps heads of the audit log as a guard does, in memory. */
export class SimulatedHeads {
  kept: KeptHeads | null = null;
  /** An agent from before heads were kept does not say that it can, and does not know the method. */
  isSupported = true;
  /** Says that it keeps a head of so many entries, instead of the truth. */
  lie: number | null = null;
  readonly #serverId: string;
  readonly #receiptKey: KeyObject;

  constructor(serverId: string, receiptKey: KeyObject) {
    this.#serverId = serverId;
    this.#receiptKey = receiptKey;
  }

  answer({ head, publicKey }: KeepAuditHeadRequest): Answer {
    if (!this.isSupported) throw new ConnectError("no such method", Code.Unimplemented);
    if (head === undefined) return this.#told();
    const { epoch, entries, head: hash, at, signature } = head;
    const offered = { epoch: Number(epoch), entries: Number(entries), head: hash, at, signature };
    const signerKey = Buffer.from(publicKey).toString("hex");
    const kept = keeping(this.kept, { head: offered, signerKey }, this.#serverId, Date.now());
    if (kept.ok) this.kept = kept.value.heads;
    const refusal = kept.ok ? {} : { refusedCode: kept.error.code, refusedMessage: kept.error.message };
    return { ...this.#told(), ...refusal };
  }

  #told() {
    if (this.kept === null) return {};
    const { epoch, entries, head, at, signature } = this.kept.newest;
    const body = receiptBody(this.kept);
    return {
      kept: { epoch: BigInt(epoch), entries: BigInt(this.lie ?? entries), head, at, signature },
      receipt: { body, signature: sign(null, Buffer.from(receiptText(body), "utf8"), this.#receiptKey) },
    };
  }
}
