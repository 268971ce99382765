/** What the control plane is told from outside, read once. Nothing else of it looks into the environment. */
import { hostname, networkInterfaces } from "node:os";
import path from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { type EvidenceLinks, readEvidenceLinks } from "./evidence-links.ts";

export type HttpAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

export interface Config {
  readonly dataDirectory: string;
  readonly http: HttpAddress;
  /** Where people and programs reach it: decides whether cookies are for https only. */
  readonly publicUrl: URL;
  /** Addresses whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly agent: {
    readonly host: string;
    readonly port: number;
    /** DNS names and addresses that agents dial, the one for new agents first. They stand in the certificate. */
    readonly names: readonly string[];
  };
  readonly metrics: { readonly host: string; readonly port: number };
  readonly database:
    | { readonly kind: "embedded" }
    | { readonly kind: "url"; readonly url: string; readonly ownerUrl: string | null };
  readonly signer: SignerChoice;
  /** A key that enrols waits until an operator has compared its fingerprint. */
  readonly enrolmentApproval: boolean;
  /** Where the key is that the secrets' keys are wrapped with. */
  readonly secretsKey: SecretsKeyConfig;
  /** Names the channels that are told of alerts; null: none. */
  readonly notifyFile: string | null;
  /** Names the provider that signs people in; null: passwords only. */
  readonly oidc: OidcConfig | null;
  /** The collector that spans go to; null: nothing is traced. */
  readonly traces: TracesConfig | null;
  /** Where the console leads to for logs and traces. */
  readonly evidence: EvidenceLinks;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** Who signs commands. `role`: the signer's own role in a PostgreSQL of yours, so that migrations give it what it reads. */
export type SignerChoice =
  /** Started and kept running by this process. `databaseUrl` null: the embedded database, or DATABASE_URL, read only. */
  | {
      readonly kind: "own";
      readonly databaseUrl: string | null;
      readonly role: string | null;
      readonly approvalsAtLeast: string | null;
    }
  /** Another unit's, by another user: only its socket is known here. */
  | { readonly kind: "socket"; readonly path: string; readonly role: string | null };

export interface OidcConfig {
  readonly file: string;
  /** Of the client at the provider; null: the file says where it is. */
  readonly clientSecret: string | null;
}

export type SecretsKeyConfig =
  /** `secrets.key` in the data folder. */
  | { readonly kind: "file" }
  | { readonly kind: "environment"; readonly text: string }
  /** A program that prints it. */
  | { readonly kind: "command"; readonly path: string };

export interface TracesConfig {
  readonly url: URL;
  /** The header Authorization, as the collector wants it. */
  readonly authorization: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** Every setting that is wrong, each with what was expected. */
export function readConfig(env: Environment): Result<Config, readonly string[]> {
  const problems: string[] = [];
  const port = (name: string, usual: number): number => {
    const text = env[name];
    if (text === undefined || text === "") return usual;
    const value = Number(text);
    if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
    problems.push(`${name}=${text}: expected a port from 0 (any free one) to 65535`);
    return usual;
  };
  const oneOf = <Word extends string>(name: string, words: readonly Word[], usual: Word): Word => {
    const text = env[name];
    if (text === undefined || text === "") return usual;
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) problems.push(`${name}=${text}: expected one of ${words.join(", ")}`);
    return word ?? usual;
  };
  const agentPort = port("HOLDFAST_AGENT_PORT", 7081);
  const http = readHttp(env, port("HOLDFAST_HTTP_PORT", 7080));
  const config: Config = {
    dataDirectory: path.resolve(env["HOLDFAST_DATA_DIR"] ?? path.join(import.meta.dirname, "../../.holdfast")),
    http,
    publicUrl: readPublicUrl(env["HOLDFAST_PUBLIC_URL"], http, problems),
    trustedProxies: list(env["HOLDFAST_TRUSTED_PROXIES"]),
    agent: {
      host: env["HOLDFAST_AGENT_HOST"] ?? "0.0.0.0",
      port: agentPort,
      names: agentNames(env["HOLDFAST_AGENT_NAMES"]),
    },
    metrics: { host: env["HOLDFAST_METRICS_HOST"] ?? "127.0.0.1", port: port("HOLDFAST_METRICS_PORT", 7082) },
    database: readDatabase(env, problems),
    enrolmentApproval: oneOf("HOLDFAST_ENROLMENT_APPROVAL", ["on", "off"], "on") === "on",
    secretsKey: readSecretsKey(env, problems),
    signer: readSigner(env, problems),
    notifyFile: optional(env["HOLDFAST_NOTIFY_FILE"]),
    oidc: readOidc(env, problems),
    traces: readTraces(env, problems),
    evidence: readEvidenceLinks(env, problems),
    logLevel: oneOf("HOLDFAST_LOG_LEVEL", LOG_LEVELS, "info"),
  };
  return problems.length === 0 ? ok(config) : err(problems);
}

function readSecretsKey(env: Environment, problems: string[]): SecretsKeyConfig {
  const text = env["HOLDFAST_SECRETS_KEY"] ?? "";
  const command = env["HOLDFAST_SECRETS_KEY_COMMAND"] ?? "";
  if (text !== "" && command !== "")
    problems.push("HOLDFAST_SECRETS_KEY_COMMAND: expected either this or HOLDFAST_SECRETS_KEY, not both");
  if (command !== "" && !path.isAbsolute(command))
    problems.push("HOLDFAST_SECRETS_KEY_COMMAND: expected the absolute path of a program, without arguments");
  if (command !== "") return { kind: "command", path: command };
  return text === "" ? { kind: "file" } : { kind: "environment", text };
}

function readSigner(env: Environment, problems: string[]): SignerChoice {
  const socket = optional(env["HOLDFAST_SIGNER_SOCKET"]);
  const role = env["HOLDFAST_SIGNER_ROLE"] ?? "";
  if (socket !== null) return { kind: "socket", path: socket, role: role === "" ? null : role };
  const url = env["HOLDFAST_SIGNER_DATABASE_URL"] ?? "";
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (url !== "" && (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.username === ""))
    problems.push("HOLDFAST_SIGNER_DATABASE_URL: expected postgresql://USER:PASSWORD@HOST/DATABASE, with a user name");
  const approvals = env["HOLDFAST_SIGNER_APPROVALS"] ?? "";
  if (!/^\d{0,3}$/.test(approvals)) problems.push(`HOLDFAST_SIGNER_APPROVALS=${approvals}: expected a whole number`);
  return {
    kind: "own",
    databaseUrl: url === "" ? null : url,
    role: parsed === null ? null : decodeURIComponent(parsed.username),
    approvalsAtLeast: approvals === "" ? null : approvals,
  };
}

function readOidc(env: Environment, problems: string[]): OidcConfig | null {
  const file = optional(env["HOLDFAST_OIDC_FILE"]);
  const clientSecret = env["HOLDFAST_OIDC_CLIENT_SECRET"] ?? "";
  if (file === null && clientSecret !== "")
    problems.push("HOLDFAST_OIDC_CLIENT_SECRET: expected HOLDFAST_OIDC_FILE beside it");
  return file === null ? null : { file, clientSecret: clientSecret === "" ? null : clientSecret };
}

function readTraces(env: Environment, problems: string[]): TracesConfig | null {
  const text = env["HOLDFAST_TRACES_URL"] ?? "";
  const authorization = env["HOLDFAST_TRACES_AUTHORIZATION"] ?? "";
  if (text === "") {
    if (authorization !== "") problems.push("HOLDFAST_TRACES_AUTHORIZATION: expected HOLDFAST_TRACES_URL beside it");
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  // Either may hold a password: neither is part of a message.
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    problems.push(
      "HOLDFAST_TRACES_URL: expected where a collector takes OTLP over HTTP, such as https://collector.example/v1/traces, without a password in it",
    );
  if (!/^[\x20-\x7e]*$/.test(authorization))
    problems.push(
      "HOLDFAST_TRACES_AUTHORIZATION: expected a header's value, such as Basic or Bearer with what follows",
    );
  return url === null ? null : { url, authorization: authorization === "" ? null : authorization };
}

function readHttp(env: Environment, port: number): HttpAddress {
  const socket = env["HOLDFAST_HTTP_SOCKET"];
  if (socket !== undefined && socket !== "") return { kind: "socket", path: path.resolve(socket) };
  return { kind: "tcp", host: env["HOLDFAST_HTTP_HOST"] ?? "127.0.0.1", port };
}

function readPublicUrl(text: string | undefined, http: HttpAddress, problems: string[]): URL {
  const usual = new URL(
    http.kind === "tcp"
      ? `http://${http.host.includes(":") ? `[${http.host}]` : http.host}:${http.port}`
      : "http://127.0.0.1",
  );
  if (text === undefined || text === "") return usual;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  problems.push(`HOLDFAST_PUBLIC_URL=${text}: expected the address of the console, such as https://holdfast.example`);
  return usual;
}

function readDatabase(env: Environment, problems: string[]): Config["database"] {
  const url = env["DATABASE_URL"];
  const ownerUrl = env["HOLDFAST_DATABASE_OWNER_URL"] ?? "";
  if (url === undefined || url === "") {
    if (ownerUrl !== "")
      problems.push("HOLDFAST_DATABASE_OWNER_URL: expected DATABASE_URL beside it, with the application's own role");
    return { kind: "embedded" };
  }
  // The text may hold a password: it is never part of a message.
  for (const [name, text] of [
    ["DATABASE_URL", url],
    ...(ownerUrl === "" ? [] : [["HOLDFAST_DATABASE_OWNER_URL", ownerUrl]]),
  ] as const) {
    const parsed = URL.canParse(text ?? "") ? new URL(text ?? "") : null;
    if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.username === "") {
      problems.push(`${name}: expected postgresql://USER:PASSWORD@HOST/DATABASE, with a user name`);
    }
  }
  return { kind: "url", url, ownerUrl: ownerUrl === "" ? null : ownerUrl };
}

/** Without a word from outside: this machine's name and every address that another machine could dial. */
function agentNames(text: string | undefined): readonly string[] {
  const stated = list(text);
  if (stated.length > 0) return stated;
  const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
      .map(({ address }) => address),
  );
  return [...new Set([...addresses, hostname(), "127.0.0.1"])];
}

function optional(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : path.resolve(text);
}

function list(text: string | undefined): readonly string[] {
  return (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
