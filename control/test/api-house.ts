/** A control plane in this process with everything but its own PostgreSQL and port: the API is asked by `inject`, agents are simulated. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { ENDPOINTS } from "@holdfast/core/api/endpoint.ts";
import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import type { InstanceId, ServerId, TokenId, UserId } from "@holdfast/core/base/id.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { enrol } from "@holdfast/testkit/simulated-agent/enrolment.ts";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import type { z } from "zod";
import { makeFirstAccount } from "../src/account/first-account.ts";
import { PasswordHasher } from "../src/account/password.ts";
import { relyingPartyOf } from "../src/account/relying-party.ts";
import { sealWith } from "../src/account/seal.ts";
import { buildApi } from "../src/api/app.ts";
import { secretSha256 } from "../src/api/credential.ts";
import { EventStream } from "../src/api/event-stream.ts";
import { mayStillSee } from "../src/api/may-still-see.ts";
import { PacketStreams } from "../src/api/packet-stream.ts";
import { ToolStreams } from "../src/api/tool-stream.ts";
import { anchorFile } from "../src/audit/anchor-file.ts";
import { headSigner } from "../src/audit/checkpoint.ts";
import { auditWitness } from "../src/audit/witness.ts";
import { doctor } from "../src/doctor/doctor.ts";
import type { AgentSessions } from "../src/gateway/agent-sessions.ts";
import type { House } from "../src/house.ts";
import { startWork } from "../src/instance/work.ts";
import type { OidcProvider } from "../src/oidc/provider.ts";
import { askAgent } from "../src/planning/ask-agent.ts";
import { DocumentCache } from "../src/planning/document-cache.ts";
import { keySource } from "../src/secrets/key-source.ts";
import { SecretStore } from "../src/secrets/secret-store.ts";
import { systemActor } from "../src/store/actor.ts";
import { newId } from "../src/store/new-id.ts";
import { insertToken } from "../src/store/tokens.ts";
import { transaction, type Transaction } from "../src/store/transaction.ts";
import { type Grant, insertUser, setGrants, setPassword } from "../src/store/users.ts";
import { NO_TRACES, type Traces } from "../src/trace/traces.ts";
import { signedHouse } from "./signed-house.ts";

/** The least that argon2 takes. */
const CHEAP = { memoryKiB: 8, passes: 1 };
const WAIT_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read members of answers by name; the door has held them against their schema
  readonly json: any;
}

export interface Asking {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiHouse {
  readonly house: House;
  readonly app: FastifyInstance;
  readonly test: TestDatabase;
  /** The agents that are connected to this instance. */
  readonly sessions: AgentSessions;
  /** Where this instance keeps heads that it signed. */
  readonly headsFile: string;
  /** Moves the house's clock, by which sessions idle and waits end. */
  readonly clock: { aheadMs: number };
  readonly refusedConcurrent: () => number;
  readonly firstPassword: string;
  /** The same house at another instance: what is asked there comes to another process. */
  another(): Promise<ApiHouse>;
  /** A token of a new account with these grants. */
  account(name: string, may: readonly (Permission | Grant)[]): Promise<string>;
  ask(token: string | null, route: RouteName, asking?: Asking): Promise<Answer>;
  /** The same, parsed; a refusal fails the test with its problem. */
  done<Name extends RouteName>(
    token: string,
    route: Name,
    asking?: Asking,
  ): Promise<z.output<(typeof ENDPOINTS)[Name]["answer"]>>;
  /** A server whose simulated agent is enrolled through the API and connected. */
  server(token: string, name: string, labels: Readonly<Record<string, string>>): Promise<SimulatedAgent>;
  until<T>(look: () => Promise<T | undefined>, what: string): Promise<T>;
}

/** The provider, if any, by the house's clock. */
type MakeOidc = (nowMs: () => number) => OidcProvider;

export interface ApiHouseOptions {
  readonly oidc?: MakeOidc;
  /** Where the console is said to be. */
  readonly url?: string;
  /** Where spans go; nowhere when not said. */
  readonly traces?: Traces;
}

export async function withApi(body: (house: ApiHouse) => Promise<void>, options: ApiHouseOptions = {}): Promise<void> {
  await withDatabase(async (test) => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-api-"));
    const closing: (() => Promise<unknown> | void)[] = [];
    try {
      await body(await openApi(test, folder, closing, options));
    } finally {
      for (const close of closing.reverse()) await close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function openApi(
  test: TestDatabase,
  folder: string,
  closing: (() => Promise<unknown> | void)[],
  { oidc, url = "http://127.0.0.1", traces = NO_TRACES }: ApiHouseOptions,
): Promise<ApiHouse> {
  const publicUrl = new URL(url);
  const log = pino({ level: process.env["HOLDFAST_TEST_LOG"] ?? "silent" });
  const instanceId: InstanceId = newId();
  const database = test.app;
  const signing = await signedHouse(folder, test);
  closing.push(() => signing.close());
  const { authority } = signing;
  const secrets = new SecretStore(keySource({ kind: "file" }, folder));
  const headsFile = join(folder, "audit-heads.jsonl");
  const witness = auditWitness({
    database,
    signer: headSigner(authority.keyFor("audit-head-v1")),
    file: anchorFile(headsFile),
    nowMs: () => Date.now(),
    log,
  });
  const work = await startWork({
    witness,
    database,
    target: test.appTarget,
    authority,
    secrets,
    instanceId,
    address: "test",
    agentPort: { host: "127.0.0.1", port: 0, names: ["127.0.0.1"] },
    approvalRequired: true,
    log,
    vantage: async () => "open",
    traces,
  });
  closing.push(() => work.close("drop"));
  const clock = { aheadMs: 0 };
  const nowMs = (): number => Date.now() + clock.aheadMs;
  let refused = 0;
  const passwords = new PasswordHasher(CHEAP);
  const house: House = {
    instanceId,
    database,
    documents: new DocumentCache(DOMAIN_LANGUAGES),
    languages: DOMAIN_LANGUAGES,
    agents: askAgent(work.switchboard, authority.commands),
    passwords,
    secrets,
    witness,
    askServers: work.askServers,
    commandKey: authority.commands,
    seal: sealWith(authority.keyFor("account-seal-v1")),
    idempotencyKey: authority.keyFor("idempotency-v1"),
    oidc: oidc?.(nowMs) ?? null,
    relyingParty: relyingPartyOf(new URL(url)),
    controlPlane: [{ address: "192.0.2.1", port: 7081 }],
    enrolment: { dial: `127.0.0.1:${work.gateway.port}`, caFingerprint: authority.certificates.fingerprint },
    nowMs,
    traces,
    evidence: { logs: "https://logs.example/{request_id}", trace: "https://traces.example/{trace_id}" },
    log,
    onRefusedConcurrent: () => {
      refused += 1;
    },
  };
  const events = new EventStream({
    target: test.appTarget,
    mayStillSee: (caller) => mayStillSee(house, caller),
    onTrouble: (error) => log.warn({ err: error }, "events"),
  });
  closing.push(() => events.close());
  const packets = new PacketStreams(house);
  closing.push(() => packets.close());
  const tools = new ToolStreams(house);
  closing.push(() => tools.close());
  /** Another instance of the same house has the same database, and a door of its own. */
  const openDoor = async (house_: House): Promise<FastifyInstance> => {
    const door = await buildApi({
      house: house_,
      events,
      packets,
      tools,
      doctor: doctor({
        database,
        witness,
        askServers: work.askServers,
        commands: authority.commands,
        publicUrl,
      }),
      publicUrl,
      trustedProxies: [],
      notReady: async () => [],
      consoleFolder: join(folder, "no-console"),
    });
    closing.push(() => door.close());
    return door;
  };
  const app = await openDoor(house);
  const firstPassword = (await makeFirstAccount(database, passwords, instanceId)) ?? "";
  const by = systemActor("test", instanceId);
  const run = async <T>(work_: (tx: Transaction) => Promise<T>): Promise<T> => {
    const done = await transaction(database, work_);
    if (!done.ok) throw done.error;
    return done.value;
  };

  const at = (house_: House, app_: FastifyInstance): ApiHouse => ({
    ...made,
    house: house_,
    app: app_,
    ask: (token, route, asking = {}) => askAt(app_, token, route, asking),
    done: async (token, route, asking = {}) => parsed(route, await askAt(app_, token, route, asking)),
  });
  const made: ApiHouse = {
    house,
    app,
    async another() {
      const house_ = { ...house, instanceId: newId<InstanceId>() };
      return at(house_, await openDoor(house_));
    },
    test,
    sessions: work.sessions,
    headsFile,
    clock,
    firstPassword,
    refusedConcurrent: () => refused,
    account: (name, may) =>
      run(async (tx) => {
        const id: UserId = newId();
        const secret = randomBytes(32).toString("base64url");
        await insertUser(tx, { id, name, passwordHash: null, mustChange: false }, by);
        await setPassword(tx, id, (await passwords.hash("a long enough password")) ?? "", false, by);
        await setGrants(
          tx,
          id,
          may.map((one) => (typeof one === "string" ? { permission: one, scope: { all: true }, domains: null } : one)),
          by,
        );
        const tokenId: TokenId = newId();
        await insertToken(
          tx,
          {
            id: tokenId,
            userId: id,
            kind: "api",
            name: "test",
            secretSha256: secretSha256(secret),
            permissions: PERMISSIONS,
            scope: { all: true },
            domains: null,
            seconds: 3_600,
          },
          by,
        );
        return secret;
      }),
    ask: (token, route, asking = {}) => askAt(app, token, route, asking),
    done: async (token, route, asking = {}) => parsed(route, await askAt(app, token, route, asking)),
    async server(token, name, labels) {
      await made.done(token, "createServer", { body: { name, labels } });
      const { token: enrolment } = await made.done(token, "enrolServer", { params: { name }, body: {} });
      const to = { port: work.gateway.port, caCertificate: authority.certificates.certificatePem, token: enrolment };
      const first = await enrol(to);
      await made.done(token, "approveServerKey", { params: { name }, body: { fingerprint: first.answer.fingerprint } });
      const { answer } = await enrol({ ...to, tlsKey: first.tlsKey, receiptKey: first.receiptKey });
      const identity = {
        serverId: answer.serverId as ServerId,
        tlsKey: first.tlsKey,
        receiptKey: first.receiptKey,
        certificate: answer.certificate,
        caCertificate: answer.caCertificate,
      };
      const agent = new SimulatedAgent({ port: work.gateway.port, identity });
      closing.push(() => agent.stop());
      agent.start();
      await made.until(
        async () => ((await made.done(token, "getServer", { params: { name } })).connected ? true : undefined),
        `${name} to be connected`,
      );
      return agent;
    },
    async until(look, what) {
      const deadline = performance.now() + WAIT_MS;
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
  return made;
}

async function askAt(
  app: FastifyInstance,
  token: string | null,
  route: RouteName,
  { params = {}, query = {}, body, headers = {} }: Asking,
): Promise<Answer> {
  const { method, path } = ROUTES[route];
  const url = `/api/v1${path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))}`;
  const answer = await app.inject({
    method,
    url,
    query: { ...query },
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    json: /^application\/(problem\+)?json\b/.test(String(answer.headers["content-type"]))
      ? (JSON.parse(answer.body) as unknown)
      : null,
  };
}

function parsed<Name extends RouteName>(route: Name, answer: Answer): z.output<(typeof ENDPOINTS)[Name]["answer"]> {
  if (answer.status >= 300) throw new Error(`${route} was refused: ${JSON.stringify(answer.json, null, 1)}`);
  return ENDPOINTS[route].answer.parse(answer.json) as never;
}

export const EVERYTHING: readonly Permission[] = PERMISSIONS;
