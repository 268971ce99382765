import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { isOutcome } from "@holdfast/core/ledger/fold.ts";
import type { TransactionState } from "@holdfast/core/ledger/record.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";

export interface Receipt {
  readonly body: string;
  readonly signature: Uint8Array;
}

/** Signs outcomes. The same outcome gives the same receipt, byte for byte, however often it is asked for. */
export interface ReceiptSigner {
  readonly keyId: string;
  /** Null while there is no outcome. */
  sign(transaction: TransactionState, serverId: string): Receipt | null;
  /** That a key of this server's guard is its own. */
  vouch(text: string): Uint8Array;
}

export function openReceiptSigner(path: string): ReceiptSigner {
  const key = createPrivateKey(readFileSync(path));
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    keyId: createHash("sha256").update(spki).digest("hex"),
    vouch: (text) => sign(null, Buffer.from(text, "utf8"), key),
    sign: (transaction, serverId) => {
      if (!isOutcome(transaction)) return null;
      const body = canonicalJson({
        request_id: transaction.requestId,
        server_id: serverId,
        outcome: transaction.last,
        code: transaction.why?.code ?? "",
        fence: transaction.fence,
        generation: transaction.generation,
        plan_digest: transaction.prepared?.planDigest ?? "",
        live_digest: transaction.liveDigest,
        at_ms: transaction.atMs,
        audit_head: transaction.head,
      });
      return { body, signature: sign(null, Buffer.from(SIGNED_TEXT.receipt + body, "utf8"), key) };
    },
  };
}
