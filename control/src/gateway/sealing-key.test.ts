import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { sealingKeyText } from "@holdfast/proto/wire/sealed-secret.ts";
import { expect, test } from "vitest";
import { sealingKeyOf } from "./sealing-key.ts";

const guard = generateKeyPairSync("ed25519");
const receiptKeys = [guard.publicKey.export({ type: "spki", format: "der" })];
const sealingKey = randomBytes(32);
const signed = (text: string): Buffer => sign(null, Buffer.from(text, "utf8"), guard.privateKey);
const sealingProof = signed(sealingKeyText("server", sealingKey.toString("hex")));

test("a key that the guard has signed for this server is believed", () => {
  expect(sealingKeyOf({ serverId: "server", sealingKey, sealingProof }, receiptKeys)).toEqual(sealingKey);
});

test("a key in another's place, for another server, signed by another guard or by nobody is not", () => {
  const said = { serverId: "server", sealingKey, sealingProof };
  const stranger = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" });
  expect(sealingKeyOf({ ...said, sealingKey: randomBytes(32) }, receiptKeys)).toBeNull();
  expect(sealingKeyOf({ ...said, serverId: "other" }, receiptKeys)).toBeNull();
  expect(sealingKeyOf(said, [stranger])).toBeNull();
  expect(sealingKeyOf(said, [])).toBeNull();
  expect(sealingKeyOf({ ...said, sealingProof: Buffer.alloc(0) }, receiptKeys)).toBeNull();
  const short = randomBytes(31);
  const proof = signed(sealingKeyText("server", short.toString("hex")));
  expect(sealingKeyOf({ serverId: "server", sealingKey: short, sealingProof: proof }, receiptKeys)).toBeNull();
});
