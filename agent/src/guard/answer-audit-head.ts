import type { MessageInitShape } from "@bufbuild/protobuf";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type {
  AuditHead,
  KeepAuditHeadRequest,
  KeepAuditHeadResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { type Log, reasonOf } from "../log/log.ts";
import {
  type HeadRefusal,
  type Keeping,
  keeping,
  type KeptHead,
  type KeptHeads,
  readKeptHeads,
  receiptBody,
  receiptText,
  writeKeptHeads,
} from "./audit-head.ts";
import type { GuardContext } from "./context.ts";

type Answer = MessageInitShape<typeof KeepAuditHeadResponseSchema>;

/** Keeps what may be kept, on the disk before this returns, and says with a receipt what is kept then. */
export function answerAuditHead(
  context: Pick<GuardContext, "paths" | "identity" | "signer" | "clock"> & { readonly log: Pick<Log, "warn"> },
  { head, publicKey }: KeepAuditHeadRequest,
): Answer {
  const { paths, identity, clock, log } = context;
  const before = readKeptHeads(paths.auditHead, identity.serverId);
  if (!before.ok) return refusal(before.error);
  if (head === undefined) return told(context, before.value);
  const offered = { head: offeredHead(head), signerKey: Buffer.from(publicKey).toString("hex") };
  const wanted = keeping(before.value, offered, identity.serverId, clock.wallMs());
  const kept = wanted.ok ? onDisk(paths.auditHead, wanted.value) : wanted;
  if (kept.ok) return told(context, kept.value);
  log.warn("a head of the audit log is not kept", { resultCode: kept.error.code }, { reason: kept.error.message });
  return { ...told(context, before.value), ...refusal(kept.error) };
}

function onDisk(path: string, { heads, isNew }: Keeping): Result<KeptHeads, HeadRefusal> {
  try {
    if (isNew) writeKeptHeads(path, heads);
    return ok(heads);
  } catch (error) {
    return err({ code: "audit_head.unwritable", message: reasonOf(error) });
  }
}

function told({ signer }: Pick<GuardContext, "signer">, kept: KeptHeads | null) {
  if (kept === null) return {};
  const body = receiptBody(kept);
  return { kept: message(kept.newest), receipt: { body, signature: signer.vouch(receiptText(body)) } };
}

function refusal({ code, message: refusedMessage }: HeadRefusal) {
  return { refusedCode: code, refusedMessage };
}

function message({ epoch, entries, head, at, signature }: KeptHead) {
  return { epoch: BigInt(epoch), entries: BigInt(entries), head, at, signature };
}

function offeredHead({ epoch, entries, head, at, signature }: AuditHead) {
  return { epoch: Number(epoch), entries: Number(entries), head, at, signature };
}
