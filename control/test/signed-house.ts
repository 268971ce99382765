/** The keys of a house under test. Its signer is the real one behind its real socket, as its own role of the database; only its process is the test's. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestDatabase } from "@holdfast/testkit/database.ts";
import pino from "pino";
import { type Authority, openOwnKeys } from "../src/authority/authority.ts";
import { type CommandKey, openCommandKey } from "../src/signer/command-key.ts";
import { reachSigner } from "../src/signer/command-signer.ts";
import { serveSigner } from "../src/signer/serve.ts";
import { openSignedLog } from "../src/signer/signed-log.ts";
import { signer } from "../src/signer/signer.ts";
import type { SignerAnswer, SignerQuestion } from "../src/signer/wire.ts";
import { Database } from "../src/store/database.ts";

export interface SignedHouse {
  readonly authority: Authority;
  /** The key itself, for tests of those who have it. */
  readonly key: CommandKey;
  /** Comes between the socket and the signer. */
  readonly between: {
    answer: (question: SignerQuestion, honest: () => Promise<SignerAnswer>) => Promise<SignerAnswer>;
  };
  /** What the signer wrote down. */
  record(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

export async function signedHouse(
  folder: string,
  test: Pick<TestDatabase, "signerTarget">,
  approvalsAtLeast = 0,
): Promise<SignedHouse> {
  const log = pino({ level: process.env["HOLDFAST_TEST_LOG"] ?? "silent" });
  const ownKeys = await openOwnKeys(join(folder, "authority"), Date.now());
  const key = await openCommandKey(join(folder, "signer"));
  const database = new Database(test.signerTarget, () => undefined, 2, "read_only");
  const socket = join(folder, "signer", "socket");
  const signedLog = await openSignedLog(join(folder, "signer"));
  const answer = signer({ key, database, signedLog, approvalsAtLeast, nowMs: () => Date.now(), log });
  const between: SignedHouse["between"] = { answer: (_question, honest) => honest() };
  const server = await serveSigner(socket, (question) => between.answer(question, () => answer(question)));
  const reached = await reachSigner(socket, 5_000);
  if (!reached.ok) throw new Error(reached.error.message);
  return {
    authority: { ...ownKeys, commands: reached.value },
    key,
    between,
    async record() {
      const text = await readFile(join(folder, "signer", "signed.jsonl"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    async close() {
      server.close();
      await database.close();
    },
  };
}
