import type { DescribeResponse } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { SEALING_KEY_BYTES, sealingKeyText } from "@holdfast/proto/wire/sealed-secret.ts";
import { isSignedBy } from "../authority/signed-by.ts";

/**
 * The key that secrets for this server are sealed with, if its guard has signed it: the session alone could put one of its own in its place.
 * `receiptKeys` are the SubjectPublicKeyInfo that were bound at enrolment.
 */
export function sealingKeyOf(
  describe: Pick<DescribeResponse, "serverId" | "sealingKey" | "sealingProof">,
  receiptKeys: readonly Uint8Array[],
): Buffer | null {
  const key = Buffer.from(describe.sealingKey);
  if (key.length !== SEALING_KEY_BYTES) return null;
  const text = Buffer.from(sealingKeyText(describe.serverId, key.toString("hex")), "utf8");
  return receiptKeys.some((receiptKey) => isSignedBy(receiptKey, text, describe.sealingProof)) ? key : null;
}
