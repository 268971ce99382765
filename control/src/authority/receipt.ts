import { z } from "zod";
import type { ReceiptVerdict } from "../saga/answer.ts";
import { isSignedBy } from "./signed-by.ts";

const RECEIPT_CONTEXT = "holdfast-receipt-v1\n";

const RECEIPT_BODY = z.object({
  request_id: z.string(),
  server_id: z.string(),
  outcome: z.enum(["confirmed", "finalized", "reverted", "revert_failed", "refused"]),
});

export interface ReceiptToCheck {
  readonly body: string;
  readonly signature: Uint8Array;
}

export interface ReceiptExpectation {
  readonly serverId: string;
  readonly requestId: string;
  readonly outcome: string;
}

/**
 * I16: whether a guard has signed this outcome of this transaction on this server. `receiptKeys` are the SubjectPublicKeyInfo of the server's keys,
 * newest first: the receipt may be older than the last renewal.
 */
export function checkReceipt(
  receipt: ReceiptToCheck | undefined,
  receiptKeys: readonly Uint8Array[],
  expected: ReceiptExpectation,
): ReceiptVerdict {
  if (receipt === undefined || receipt.signature.length === 0) return "missing";
  const body = readBody(receipt.body);
  if (body === null) return "invalid";
  if (
    body.request_id !== expected.requestId ||
    body.server_id !== expected.serverId ||
    body.outcome !== expected.outcome
  )
    return "invalid";
  const signed = Buffer.from(RECEIPT_CONTEXT + receipt.body, "utf8");
  return receiptKeys.some((key) => isSignedBy(key, signed, receipt.signature)) ? "valid" : "invalid";
}

function readBody(text: string): z.infer<typeof RECEIPT_BODY> | null {
  try {
    return RECEIPT_BODY.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
