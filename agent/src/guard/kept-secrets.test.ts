import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type SealedSecret, SealedSecretSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "../os/files.ts";
import { agentPaths } from "../paths.ts";
import { forgetSecrets, keepSecrets } from "./kept-secrets.ts";
import { type SealOpener, sealOpener } from "./sealing.ts";

const FIRST = "tunnel.pair.1.0123456789abcdef";
const SECOND = "tunnel.pair.2.fedcba9876543210";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-kept-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const identity = { serverId: "server", serverName: "gw", controlPlane: { host: "h", port: 1 }, commandKeys: [] };
const real = sealOpener(generateKeyPairSync("x25519").privateKey);
/** Opens by the subject alone: what sealing itself refuses is tested where both halves meet (testkit/test/sealed-secret.test.ts). */
const opening = (values: Readonly<Record<string, string>>): SealOpener => ({
  publicKey: real.publicKey,
  open: (_key, _sealed, about) => {
    const value = values[about];
    return value === undefined ? null : Buffer.from(value, "utf8");
  },
});
const sealed = (file: string): SealedSecret => create(SealedSecretSchema, { file });
const context = (sealing: SealOpener) => ({ paths: agentPaths(root), identity, sealing });
const kept = (): string => agentPaths(root).secrets;

test("what came is a file of its own, root's alone, and coming again changes nothing", () => {
  const sealing = opening({ [`server\nrequest\n${FIRST}`]: "the first" });
  mkdirState();
  for (let count = 0; count < 2; count += 1)
    expect(keepSecrets(context(sealing), "request", [FIRST], [sealed(FIRST)])).toEqual({ ok: true, value: null });
  expect(readFileSync(join(kept(), FIRST), "utf8")).toBe("the first\n");
  expect([statSync(kept()).mode & 0o777, statSync(join(kept(), FIRST)).mode & 0o777]).toEqual([0o700, 0o600]);
  // On the server already: it need not come again.
  expect(keepSecrets(context(sealing), "later", [FIRST], []).ok).toBe(true);
});

test("what does not come, and what is not for this request, refuses the whole; what nobody named is not kept", () => {
  mkdirState();
  const sealing = opening({ [`server\nother\n${FIRST}`]: "the first", [`server\nrequest\n${SECOND}`]: "the second" });
  expect(keepSecrets(context(sealing), "request", [FIRST], [])).toMatchObject({ error: { code: "secret.missing" } });
  expect(keepSecrets(context(sealing), "request", [FIRST], [sealed(FIRST)])).toMatchObject({
    error: { code: "secret.unopenable" },
  });
  expect(keepSecrets(context(sealing), "request", [], [sealed(SECOND)]).ok).toBe(true);
  expect(existsSync(kept())).toBe(false);
});

test("after a confirmation what it does not name is gone, and nothing but secrets", () => {
  mkdirState();
  const values = { [`server\nrequest\n${FIRST}`]: "the first", [`server\nrequest\n${SECOND}`]: "the second" };
  keepSecrets(context(opening(values)), "request", [FIRST, SECOND], [sealed(FIRST), sealed(SECOND)]);
  writeFileSync(join(kept(), "README"), "somebody's own");
  forgetSecrets(kept(), [SECOND]);
  expect(readdirSync(kept()).toSorted()).toEqual(["README", SECOND]);
  forgetSecrets(join(root, "nowhere"), []);
});

function mkdirState(): void {
  makeFolder(agentPaths(root).state, 0o755);
}
