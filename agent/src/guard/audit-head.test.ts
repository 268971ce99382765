import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type KeepAuditHeadRequest, KeepAuditHeadRequestSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { type AnchoredHead, anchorText } from "@holdfast/proto/wire/audit-head.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { auditHeadInWords, headsInData } from "../cli/story.ts";
import { systemClock } from "../os/clock.ts";
import { makeFolder } from "../os/files.ts";
import { agentPaths } from "../paths.ts";
import { answerAuditHead } from "./answer-audit-head.ts";
import { readKeptHeads, receiptText } from "./audit-head.ts";
import { openReceiptSigner } from "./receipt.ts";

const SERVER = "019b2f00-0000-7000-8000-000000000001";
const house = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const receiptKey = generateKeyPairSync("ed25519");

let root = "";
let paths = agentPaths("/");
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-head-"));
  paths = agentPaths(root);
  makeFolder(paths.state, 0o755);
  writeFileSync(paths.receiptKey, receiptKey.privateKey.export({ type: "pkcs8", format: "pem" }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const hash = (letter: string): string => letter.repeat(64);
function head(entries: number, letter = "a", epoch = 1): AnchoredHead {
  return { epoch, entries, head: hash(letter), at: "2026-11-26T09:00:00.000Z" };
}
function rawKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}
function offer(one: AnchoredHead, by = house, named = by): KeepAuditHeadRequest {
  const signature = sign(null, Buffer.from(anchorText(one), "utf8"), by.privateKey);
  return create(KeepAuditHeadRequestSchema, {
    head: { ...one, epoch: BigInt(one.epoch), entries: BigInt(one.entries), signature },
    publicKey: rawKey(named.publicKey),
  });
}
const nothing = create(KeepAuditHeadRequestSchema, {});

/** As a guard that has just been started: all that it knows is on the disk. */
function guard(serverId = SERVER) {
  const identity = { serverId, serverName: "web-1", controlPlane: { host: "h", port: 1 }, commandKeys: [] };
  const context = {
    paths,
    identity,
    signer: openReceiptSigner(paths.receiptKey),
    clock: systemClock,
    log: { warn: () => undefined },
  };
  return { answer: (request: KeepAuditHeadRequest) => answerAuditHead(context, request) };
}
const kept = () => guard().answer(nothing).kept;

test("the highest head is kept, with a receipt by the guard's key that a restart does not change", () => {
  expect(guard().answer(nothing)).toEqual({});
  const first = guard().answer(offer(head(10)));
  expect(first).toMatchObject({ kept: { entries: 10n, head: hash("a") } });
  expect(first).not.toHaveProperty("refusedCode");
  const { body = "", signature = new Uint8Array() } = first.receipt ?? {};
  expect(JSON.parse(body)).toMatchObject({ server_id: SERVER, epoch: 1, entries: 10, head: hash("a") });
  expect(verify(null, Buffer.from(receiptText(body)), receiptKey.publicKey, signature)).toBe(true);
  // Killed after the head was on the disk and before the receipt came: asked again, it is the same one.
  expect(guard().answer(nothing)).toEqual(first);
  expect(guard().answer(offer(head(10)))).toEqual(first);
  expect(guard().answer(offer(head(11, "b"))).kept).toMatchObject({ entries: 11n, head: hash("b") });
  expect(statSync(paths.auditHead).mode & 0o777).toBe(0o600);
});

test.each([
  ["fewer entries", () => offer(head(9, "b")), "audit_head.goes_back"],
  ["as many entries of another log", () => offer(head(10, "b")), "audit_head.forked"],
  ["an epoch that is over", () => offer(head(99, "b", 1)), "audit_head.goes_back"],
  ["a head of somebody who has a key of their own", () => offer(head(20, "b", 3), stranger), "audit_head.other_key"],
  ["a head that somebody else signed", () => offer(head(20, "b", 3), stranger, house), "audit_head.signature"],
  [
    "one that is not a head",
    () => create(KeepAuditHeadRequestSchema, { head: { entries: 0n, head: "x" }, publicKey: rawKey(house.publicKey) }),
    "audit_head.unreadable",
  ],
])("%s: refused, and what is kept is said and stays", (_what, request, code) => {
  const epoch = code === "audit_head.forked" || _what === "fewer entries" ? 1 : 2;
  guard().answer(offer(head(10, "a", epoch)));
  const before = readFileSync(paths.auditHead, "utf8");
  const answer = guard().answer(request());
  expect(answer).toMatchObject({ refusedCode: code, kept: { entries: 10n, head: hash("a"), epoch: BigInt(epoch) } });
  expect(answer.receipt?.body).toContain(hash("a"));
  expect(readFileSync(paths.auditHead, "utf8")).toBe(before);
});

test("a new epoch may have fewer entries, and the last head of the one before stays on the server, in a file of bounded size", () => {
  for (let epoch = 1; epoch <= 33; epoch += 1) guard().answer(offer(head(100 - epoch, "c", epoch)));
  // Whoever begins one epoch after the other pushes none out.
  expect(guard().answer(offer(head(500, "c", 34)))).toMatchObject({ refusedCode: "audit_head.too_many_epochs" });
  expect(guard().answer(offer(head(68, "c", 33))).kept).toMatchObject({ epoch: 33n, entries: 68n });
  const heads = readKeptHeads(paths.auditHead, SERVER);
  expect(heads.ok && heads.value?.ended.map((one) => one.entries)).toEqual(
    Array.from({ length: 32 }, (_, index) => 68 + index),
  );
  expect(statSync(paths.auditHead).size).toBeLessThan(32_768);
  expect(readdirSync(paths.state).filter((name) => name.includes("audit") || name.endsWith(".new"))).toEqual([
    "audit-head.json",
  ]);
});

test("a file that cannot be read is not taken for none", () => {
  guard().answer(offer(head(10)));
  writeFileSync(paths.auditHead, readFileSync(paths.auditHead, "utf8").slice(0, 40));
  const before = readFileSync(paths.auditHead, "utf8");
  expect(guard().answer(offer(head(11)))).toMatchObject({ refusedCode: "audit_head.file_unreadable" });
  expect(readFileSync(paths.auditHead, "utf8")).toBe(before);
});

test("what was kept in another enrolment holds nobody up", () => {
  guard("019b2f00-0000-7000-8000-000000000002").answer(offer(head(10), stranger));
  expect(kept()).toBeUndefined();
  expect(guard().answer(offer(head(1))).kept).toMatchObject({ entries: 1n });
});

test("a disk that refuses is said, and what was kept before is what is kept", () => {
  guard().answer(offer(head(10)));
  const { auditHead } = paths;
  paths = { ...paths, auditHead: join(auditHead, "no-folder") };
  expect(guard().answer(offer(head(11)))).toMatchObject({ refusedCode: "audit_head.unwritable" });
  paths = { ...paths, auditHead };
  expect(kept()).toMatchObject({ entries: 10n });
});

test("whoever sits at the server reads what is kept, as the words for the control plane's own check", () => {
  guard().answer(offer(head(10)));
  guard().answer(offer(head(5, "b", 2)));
  const heads = readKeptHeads(paths.auditHead, SERVER);
  if (!heads.ok) throw new Error(heads.error.message);
  const words = auditHeadInWords(heads.value).join("\n");
  expect(words).toContain(`holdfast audit verify --kept 5:${hash("b")}`);
  expect(words).toContain("Epoch 1 ended here with 10 entries");
  expect(headsInData(heads.value)).toMatchObject({ newest: { entries: 5, epoch: 2 }, ended: [{ entries: 10 }] });
  expect(auditHeadInWords(null).join("")).toContain("no head");
});
