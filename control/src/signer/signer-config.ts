/** What the signer is told from outside, read once. The control plane that starts one writes the same names. */
import path from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { SIGNER_ROLE } from "../postgres/embedded.ts";
import type { SignerAccount } from "../postgres/signer-account.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export interface SignerConfig {
  /** The key and the record of what was signed: 0700, the signer's own. */
  readonly folder: string;
  readonly socket: string;
  readonly database: ConnectionTarget;
  /** Who it becomes when it was started as root; null: it stays who it is. */
  readonly user: SignerAccount | null;
  /** It ends when its standard input does. */
  readonly isSupervised: boolean;
  readonly approvalsAtLeast: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

type Environment = Readonly<Record<string, string | undefined>>;

const DATABASE_NAME = "holdfast";

export function readSignerConfig(env: Environment): Result<SignerConfig, readonly string[]> {
  const problems: string[] = [];
  const place = (name: string): string => {
    const text = env[name] ?? "";
    if (!path.isAbsolute(text)) problems.push(`${name}: expected an absolute path`);
    return text;
  };
  const whole = (name: string, usual: number): number => {
    const text = env[name] ?? "";
    if (text === "") return usual;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    problems.push(`${name}=${text}: expected a whole number`);
    return usual;
  };
  const level = env["HOLDFAST_LOG_LEVEL"] ?? "";
  const logLevel = LOG_LEVELS.find((word) => word === level);
  if (level !== "" && logLevel === undefined)
    problems.push(`HOLDFAST_LOG_LEVEL: expected one of ${LOG_LEVELS.join(", ")}`);
  const uid = whole("HOLDFAST_SIGNER_UID", 0);
  const gid = whole("HOLDFAST_SIGNER_GID", 0);
  const config: SignerConfig = {
    folder: place("HOLDFAST_SIGNER_DIR"),
    socket: place("HOLDFAST_SIGNER_SOCKET"),
    database: readTarget(env, problems),
    user: uid === 0 ? null : { uid, gid },
    isSupervised: env["HOLDFAST_SIGNER_SUPERVISED"] === "yes",
    approvalsAtLeast: whole("HOLDFAST_SIGNER_APPROVALS", 0),
    logLevel: logLevel ?? "info",
  };
  return problems.length === 0 ? ok(config) : err(problems);
}

/** Its own role at a PostgreSQL of yours, or the socket of the control plane's own, where the kernel says who is asking. */
function readTarget(env: Environment, problems: string[]): ConnectionTarget {
  const url = env["HOLDFAST_SIGNER_DATABASE_URL"] ?? "";
  const directory = env["HOLDFAST_SIGNER_DATABASE_SOCKET"] ?? "";
  if ((url === "") === (directory === ""))
    problems.push("HOLDFAST_SIGNER_DATABASE_URL: expected either this or HOLDFAST_SIGNER_DATABASE_SOCKET");
  if (directory !== "") {
    const user = env["HOLDFAST_SIGNER_ROLE"] ?? SIGNER_ROLE;
    const database = env["HOLDFAST_SIGNER_DATABASE"] ?? DATABASE_NAME;
    return { kind: "socket", directory, user, database };
  }
  // The text may hold a password: it is never part of a message.
  if (url !== "" && !(URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)))
    problems.push("HOLDFAST_SIGNER_DATABASE_URL: expected postgresql://USER:PASSWORD@HOST/DATABASE");
  return { kind: "url", url };
}
