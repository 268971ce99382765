/**
 * The signer as a process of its own. It alone opens the command key; what it is asked comes over its socket, and what it knows it reads from
 * the database. Started by the control plane, or by an init system as a user of its own (deploy/systemd/holdfast-signer.service).
 *   P1. One signer per folder: the kernel lets go of the lock when its holder ends.
 *   P2. Started as root it becomes the user that it was given before it opens anything: what is in its folder is never touched as root.
 *   P3. It never closes its socket, it just ends: closing would remove the socket of the one that comes after it.
 */
import path from "node:path";
import { LOG_LINE } from "@holdfast/core/log/line.ts";
import pino from "pino";
import { Database } from "../store/database.ts";
import { openCommandKey } from "./command-key.ts";
import { lockFolder } from "./folder-lock.ts";
import { serveSigner } from "./serve.ts";
import { openSignedLog } from "./signed-log.ts";
import { readSignerConfig, type SignerConfig } from "./signer-config.ts";
import { signer } from "./signer.ts";

/** What an init system takes for "wrong configuration, do not start again" (sysexits.h, EX_CONFIG). */
const EXIT_CONFIG = 78;
const SESSIONS = 4;

const config = readSignerConfig(process.env);
if (config.ok) await main(config.value);
else {
  for (const problem of config.error) process.stderr.write(`holdfast-signer: ${problem}\n`);
  process.exitCode = EXIT_CONFIG;
}

async function main({
  folder,
  socket,
  database: target,
  user,
  isSupervised,
  approvalsAtLeast,
  logLevel,
}: SignerConfig): Promise<void> {
  const log = pino({
    level: logLevel,
    base: { [LOG_LINE.process]: "signer", pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: LOG_LINE.message,
    formatters: { level: (label) => ({ [LOG_LINE.level]: label }) },
  });
  if (user !== null) {
    process.setgroups?.([user.gid]);
    process.setgid?.(user.gid);
    process.setuid?.(user.uid);
  }
  process.once("SIGTERM", () => process.exit(0));
  // Ctrl-C reaches the whole group of a terminal; the control plane still wants things signed while it lets go of its work.
  process.on("SIGINT", () => (isSupervised ? undefined : process.exit(0)));
  // The other end of a supervised signer's input is the control plane's: it ends when that does, however that ends.
  if (isSupervised) process.stdin.on("end", () => process.exit(0)).resume();

  if (!lockFolder(path.join(folder, "signer.lock"))) {
    log.fatal(
      { result_code: "signer.in_use" },
      `another signer holds ${folder}: stop it, or give this one another folder`,
    );
    process.exit(1);
  }
  const key = await openCommandKey(folder);
  const database = new Database(
    target,
    (error) =>
      log.warn({ err: error, result_code: "signer.database_unreachable" }, "a session with the database has ended"),
    SESSIONS,
    "read_only",
  );
  const signedLog = await openSignedLog(folder);
  await serveSigner(socket, signer({ key, database, signedLog, approvalsAtLeast, nowMs: () => Date.now(), log }));
  log.info({ result_code: "ok", key_id: key.keyId, uid: process.getuid?.() }, "the signer of commands is there");
}
