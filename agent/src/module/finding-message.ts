import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { FindingMessageSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";

export function findingMessage(finding: Finding): MessageInitShape<typeof FindingMessageSchema> {
  const { severity, code, path, message, remedy } = finding;
  return { severity, code, path, message, remedy };
}
