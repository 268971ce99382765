import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerId } from "@holdfast/core/base/id.ts";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { Database } from "../store/database.ts";
import { keySource } from "./key-source.ts";
import { SecretStore } from "./secret-store.ts";
import { secretsForServer } from "./secrets-for-server.ts";

const FILE = `acme.1.${"0".repeat(16)}`;
const SESSION = { serverId: "server" as ServerId, sealingKey: Buffer.from("09".padEnd(64, "0"), "hex") };
/** Says of every row that it is there, wrapped with a key that this instance has to look for. */
const DATABASE = {
  maybe: async () => ({ secret_id: "id", key_id: "0123456789abcdef", data_key: Buffer.alloc(0) }),
} as unknown as Database;

/** A key file that cannot be read, whoever the test runs as. */
function unreadable(): SecretStore {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "secrets.key"), { mode: 0o700 });
  return new SecretStore(keySource({ kind: "file" }, folder));
}

const holding = (value: string | null) => () => ({ value: async () => value });

test.each([
  ["secret.no_sealing_key", holding("value"), null, FILE],
  ["secret.bad_sealing_key", holding("value"), Buffer.alloc(32), FILE],
  ["secret.gone", holding(null), SESSION.sealingKey, FILE],
  ["secret.not_named", holding("value"), SESSION.sealingKey, "../acme"],
  ["secret.key_missing", unreadable, SESSION.sealingKey, FILE],
] as const)("%s: it is left out, and the log says why and what to do", async (code, storeFor, sealingKey, file) => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const sent = await secretsForServer(storeFor(), DATABASE, { ...SESSION, sealingKey }, "request", [file], log);
  expect(sent).toEqual([]);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ result_code: code, secret: file }]);
});

test("what can be sealed is sent", async () => {
  const log = pino({ level: "silent" });
  expect(await secretsForServer(holding("value")(), DATABASE, SESSION, "request", [FILE], log)).toMatchObject([
    { file: FILE },
  ]);
});
