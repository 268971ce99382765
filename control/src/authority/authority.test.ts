import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { CommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { afterEach, expect, test } from "vitest";
import { openCommandKey } from "../signer/command-key.ts";
import { moveCommandKey } from "../signer/move-key.ts";
import { openOwnKeys } from "./authority.ts";
import { AGENT_CERTIFICATE_MS } from "./certificate-authority.ts";
import { checkReceipt } from "./receipt.ts";
import { ROLE_CONTROL, serverOfAgentCertificate, urisOf } from "./role.ts";

const NOW = Date.UTC(2026, 5, 1);
const SERVER = "0198c0de-0000-7000-8000-000000000001";
const folders: string[] = [];

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-authority-"));
  folders.push(path);
  return join(path, "authority");
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

test("the keys are made once, 0600, and two that start together agree", async () => {
  const path = await folder();
  const [first, second] = await Promise.all([openOwnKeys(path, NOW), openOwnKeys(path, NOW + 5)]);
  expect(second.certificates.fingerprint).toBe(first.certificates.fingerprint);
  expect(second.keyFor("x")).toEqual(first.keyFor("x"));
  expect(first.keyFor("y")).not.toEqual(first.keyFor("x"));
  const [one, other] = await Promise.all([openCommandKey(path), openCommandKey(path)]);
  expect(other.keyId).toBe(one.keyId);
  for (const name of ["authority-key.pem", "authority.pem", "house-keys.json", "command-key.pem"]) {
    expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
  }
  expect((await openOwnKeys(path, NOW + 10)).certificates.fingerprint).toBe(first.certificates.fingerprint);
});

test("a key that others may read is refused with what to do", async () => {
  const path = await folder();
  await openCommandKey(path);
  await chmod(join(path, "command-key.pem"), 0o644);
  await expect(openCommandKey(path)).rejects.toThrow(/command-key\.pem may be read by others.*chmod 600/);
});

test.each(["ed25519", "ec"] as const)(
  "an agent's certificate for a key of type %s names one server, one role, seven days",
  async (type) => {
    const { certificates } = await openOwnKeys(await folder(), NOW);
    const pair = type === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
    const spki = pair.publicKey.export({ type: "spki", format: "der" });
    const issued = await certificates.issueForAgent({ serverId: SERVER, publicKey: spki, nowMs: NOW });
    const certificate = new X509Certificate(issued.certificatePem);
    expect(certificate.verify(new X509Certificate(certificates.certificatePem).publicKey)).toBe(true);
    expect(certificate.publicKey.export({ type: "spki", format: "der" })).toEqual(spki);
    expect(serverOfAgentCertificate(certificate.subjectAltName)).toBe(SERVER);
    expect(Date.parse(certificate.validTo)).toBe(NOW + AGENT_CERTIFICATE_MS);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]); // clientAuth only: it cannot serve
  },
);

test("S9: the agent port's certificate has the control plane's role and its names, and is no agent's", async () => {
  const { certificates } = await openOwnKeys(await folder(), NOW);
  const issued = await certificates.issueForAgentPort({
    names: ["127.0.0.1", "fd00::1", "control.example"],
    nowMs: NOW,
  });
  const certificate = new X509Certificate(issued.certificatePem);
  expect(urisOf(certificate.subjectAltName)).toEqual([ROLE_CONTROL]);
  expect(certificate.checkHost("control.example")).toBe("control.example");
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(serverOfAgentCertificate(certificate.subjectAltName)).toBeNull();
});

test("a certificate that claims two roles or two servers is nobody's", () => {
  expect(
    serverOfAgentCertificate(`URI:holdfast:role:agent, URI:holdfast:role:control, URI:holdfast:server:${SERVER}`),
  ).toBeNull();
  expect(serverOfAgentCertificate(`URI:holdfast:role:agent, URI:holdfast:server:a, URI:holdfast:server:b`)).toBeNull();
  expect(serverOfAgentCertificate(`URI:holdfast:server:${SERVER}`)).toBeNull();
  expect(serverOfAgentCertificate(undefined)).toBeNull();
});

test("a command's signature covers exactly its bytes under its own context", async () => {
  const commands = await openCommandKey(await folder());
  const signed = commands.sign({
    serverId: SERVER,
    requestId: "r",
    fence: 7n,
    verb: { case: "confirm", value: { nonce: "n" } },
  });
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(commands.publicKeyHex, "hex").toString("base64url") },
    format: "jwk",
  });
  expect(
    verify(null, Buffer.concat([Buffer.from("holdfast-command-v1\n"), signed.command]), key, signed.signature),
  ).toBe(true);
  expect(verify(null, signed.command, key, signed.signature)).toBe(false);
  expect(fromBinary(CommandSchema, signed.command)).toMatchObject({ serverId: SERVER, fence: 7n });
  expect(signed.keyId).toMatch(/^[0-9a-f]{16}$/);
});

// I16.
test("a receipt counts only for its server, request and outcome, and only signed by a key of that server", () => {
  const guard = generateKeyPairSync("ed25519");
  const other = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" });
  const key = guard.publicKey.export({ type: "spki", format: "der" });
  const body = canonicalJson({ request_id: "r", server_id: SERVER, outcome: "reverted", code: "", fence: 3 });
  const receipt = { body, signature: sign(null, Buffer.from(`holdfast-receipt-v1\n${body}`), guard.privateKey) };
  const expected = { serverId: SERVER, requestId: "r", outcome: "reverted" };
  expect(checkReceipt(receipt, [other, key], expected)).toBe("valid");
  expect(checkReceipt(receipt, [other], expected)).toBe("invalid");
  expect(checkReceipt(receipt, [key], { ...expected, requestId: "q" })).toBe("invalid");
  expect(checkReceipt(receipt, [key], { ...expected, outcome: "finalized" })).toBe("invalid");
  expect(checkReceipt({ body: "{", signature: receipt.signature }, [key], expected)).toBe("invalid");
  expect(checkReceipt(undefined, [key], expected)).toBe("missing");
});

test("what was derived from the command key before there was a signer stays the same when the key goes, and is never made anew by mistake", async () => {
  const path = await folder();
  await openCommandKey(path);
  const key = createPrivateKey(await readFile(join(path, "command-key.pem"), "utf8"));
  const before = Buffer.from(
    hkdfSync("sha256", key.export({ type: "pkcs8", format: "der" }), "holdfast", "account-seal-v1", 32),
  );
  expect((await openOwnKeys(path, NOW)).keyFor("account-seal-v1")).toEqual(before);
  const to = join(path, "..", "signer");
  const { keyId } = await openCommandKey(path);
  expect(await moveCommandKey(path, to)).toBe(true);
  expect(await moveCommandKey(path, to)).toBe(false);
  expect((await openCommandKey(to)).keyId).toBe(keyId);
  expect((await openOwnKeys(path, NOW)).keyFor("account-seal-v1")).toEqual(before);
  await unlink(join(path, "house-keys.json"));
  await expect(openOwnKeys(path, NOW)).rejects.toThrow(/house-keys\.json is missing.*put command-key\.pem back/);
});

test("a move of the key that was killed half-way goes on, and a key that the signer has is never replaced", async () => {
  const path = await folder();
  const to = join(path, "..", "signer");
  const { keyId } = await openCommandKey(path);
  await mkdir(to, { mode: 0o700 });
  await copyFile(join(path, "command-key.pem"), join(to, "command-key.pem"));
  expect(await moveCommandKey(path, to)).toBe(true);
  expect((await openCommandKey(to)).keyId).toBe(keyId);
});
