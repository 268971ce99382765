/**
 * One instance of the control plane, put together: database, authority, the part that works by itself, and the part that answers people.
 * main.ts runs it as a process; tests run it inside of theirs.
 */
import { lookup } from "node:dns/promises";
import { unlinkSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import type { Logger } from "pino";
import { makeFirstAccount, FIRST_ACCOUNT } from "./account/first-account.ts";
import { PasswordHasher } from "./account/password.ts";
import { relyingPartyOf } from "./account/relying-party.ts";
import { sealWith } from "./account/seal.ts";
import { buildApi } from "./api/app.ts";
import { EventStream } from "./api/event-stream.ts";
import { mayStillSee } from "./api/may-still-see.ts";
import { PacketStreams } from "./api/packet-stream.ts";
import { isAnswering } from "./api/store/answering.ts";
import { ToolStreams } from "./api/tool-stream.ts";
import { anchorFile } from "./audit/anchor-file.ts";
import { headSigner } from "./audit/checkpoint.ts";
import { auditWitness } from "./audit/witness.ts";
import { type Authority, checkAuthority, openOwnKeys } from "./authority/authority.ts";
import type { Config, HttpAddress } from "./config.ts";
import { doctor } from "./doctor/doctor.ts";
import type { House } from "./house.ts";
import { startWork } from "./instance/work.ts";
import { type Metrics, metrics, serveMetrics } from "./metrics/metrics.ts";
import { type Channel, readChannels } from "./notify/channels.ts";
import { OIDC_PATH, oidcProvider } from "./oidc/provider.ts";
import { type OidcSettings, readOidcSettings } from "./oidc/settings.ts";
import { askAgent } from "./planning/ask-agent.ts";
import { DocumentCache } from "./planning/document-cache.ts";
import { keySource } from "./secrets/key-source.ts";
import { SecretStore } from "./secrets/secret-store.ts";
import { type CommandSigner } from "./signer/command-signer.ts";
import { startSigner } from "./signer/start-signer.ts";
import { newId } from "./store/new-id.ts";
import { openStore, type Store } from "./store/open-store.ts";
import { openTraces } from "./trace/open-traces.ts";

export interface ControlPlane {
  /** Where people find it. */
  readonly url: string;
  /** On the first start of a house only; kept nowhere. */
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly agentPort: number;
  readonly metricsPort: number;
  /** Lets everything go in order, so that another instance goes on at once. */
  close(): Promise<void>;
}

export interface StartRefusal {
  readonly code: string;
  readonly message: string;
}

/** How long one question of /readyz may take before it counts as no. */
const READY_WITHIN_MS = 3_000;

export async function startControlPlane(
  config: Config,
  log: Logger,
  passwords = new PasswordHasher(),
): Promise<Result<ControlPlane, StartRefusal>> {
  const channels = readChannels(config.notifyFile);
  if (!channels.ok) return err({ code: "notify.invalid", message: channels.error.join("; ") });
  const oidc = readOidcSettings(config.oidc);
  if (!oidc.ok) return err({ code: "oidc.invalid", message: oidc.error.join("; ") });
  const opened = await openStore(config, (level, message) => {
    // initdb sets its words apart with empty lines; a line of the log says something.
    if (message.trim() !== "") log[level]({}, message);
  });
  if (!opened.ok) return opened;
  const closing: (() => Promise<void>)[] = [() => opened.value.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    const started = await startOn(
      opened.value,
      config,
      { channels: channels.value, oidc: oidc.value },
      log,
      passwords,
      closing,
    );
    if (started.ok) return ok({ ...started.value, close: once(close) });
    await close();
    return started;
  } catch (error) {
    await close();
    throw error;
  }
}

async function startOn(
  store: Store,
  config: Config,
  { channels, oidc }: { readonly channels: readonly Channel[]; readonly oidc: OidcSettings | null },
  log: Logger,
  passwords: PasswordHasher,
  closing: (() => Promise<void>)[],
): Promise<Result<Omit<ControlPlane, "close">, StartRefusal>> {
  const { database, target } = store;
  const instanceId: InstanceId = newId();
  const ownKeys = await openOwnKeys(path.join(config.dataDirectory, "authority"), Date.now());
  const signing = await startSigner(config, store.signerTarget, log);
  if (!signing.ok) return signing;
  closing.push(() => signing.value.stop());
  const authority: Authority = { ...ownKeys, commands: signing.value.commands };
  const checked = await checkAuthority(database, authority, instanceId);
  if (!checked.ok) return checked;

  const traces = openTraces(config.traces, instanceId, log);
  closing.push(() => traces.close());

  const secrets = new SecretStore(keySource(config.secretsKey, config.dataDirectory));
  const locked = await secrets.problem(database);
  if (locked !== null) log.error({ result_code: "secret.key_missing" }, locked);

  const witness = auditWitness({
    database,
    signer: headSigner(authority.keyFor("audit-head-v1")),
    file: anchorFile(path.join(config.dataDirectory, "audit-heads.jsonl")),
    nowMs: () => Date.now(),
    log,
  });
  const work = await startWork({
    witness,
    database,
    target,
    authority,
    secrets,
    instanceId,
    address: config.publicUrl.origin,
    agentPort: config.agent,
    approvalRequired: config.enrolmentApproval,
    dataDirectory: config.dataDirectory,
    channels,
    traces,
    log,
  });
  closing.push(() => work.close("hand_over"));
  let sessionsOpened = 0;
  work.sessions.listen({
    opened: () => {
      sessionsOpened += 1;
    },
  });
  const events = new EventStream({
    target,
    mayStillSee: (caller) => mayStillSee(house, caller),
    onTrouble: (error) => log.warn({ err: error }, "events may have been missed"),
  });
  closing.push(() => events.close());
  const measured: Metrics = metrics({
    database,
    sessions: () => work.sessions.all().length,
    eventStreams: () => events.streams,
    sessionsOpened: () => sessionsOpened,
    spans: () => traces.counts(),
    onTrouble: (error) =>
      log.warn({ err: error, result_code: "database.unreachable" }, "the house could not be measured"),
  });
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
    // It is asked when somebody signs in: a start needs no provider.
    oidc:
      oidc === null
        ? null
        : oidcProvider({
            settings: oidc,
            redirectUri: new URL(OIDC_PATH, config.publicUrl.origin).href,
            nowMs: () => Date.now(),
          }),
    relyingParty: relyingPartyOf(config.publicUrl),
    controlPlane: await literalAddresses(config.agent.names, work.gateway.port, log),
    enrolment: {
      dial: dialAddress(config.agent.names, work.gateway.port),
      caFingerprint: authority.certificates.fingerprint,
    },
    nowMs: () => Date.now(),
    traces,
    evidence: config.evidence,
    log,
    onRefusedConcurrent: measured.refusedConcurrent,
  };
  const password = await makeFirstAccount(database, passwords, instanceId);

  const packets = new PacketStreams(house);
  closing.push(() => packets.close());
  const tools = new ToolStreams(house);
  closing.push(() => tools.close());
  const app = await buildApi({
    house,
    doctor: doctor({
      database,
      witness,
      askServers: work.askServers,
      commands: authority.commands,
      publicUrl: config.publicUrl,
    }),
    events,
    packets,
    tools,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    notReady: () => notReady(store, authority.commands),
    consoleFolder: path.join(import.meta.dirname, "../../console/dist"),
  });
  closing.push(() => app.close());
  const scraped = await serveMetrics(measured, config.metrics.host, config.metrics.port, (error) =>
    log.warn({ err: error }, "metrics could not be read"),
  );
  closing.push(() => scraped.close());
  const url = await listenOn(config, (options) => app.listen(options));
  return ok({
    url,
    login: password === null ? null : { user: FIRST_ACCOUNT, password },
    agentPort: work.gateway.port,
    metricsPort: scraped.port,
  });
}

/** The gateway listens, or this would not have started; what may go away afterwards is the database, and the signer of commands. */
async function notReady(store: Store, commands: CommandSigner): Promise<readonly string[]> {
  const [database, signer] = await Promise.all([databaseTrouble(store), commands.trouble()]);
  return [...database, ...(signer === null ? [] : [`the signer of commands: ${signer}`])];
}

async function databaseTrouble({ database }: Store): Promise<readonly string[]> {
  const timeout = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error("it does not answer in time")), READY_WITHIN_MS).unref(),
  );
  try {
    const isThere = await Promise.race([isAnswering(database), timeout]);
    return isThere ? [] : ["the authority of this house"];
  } catch (error) {
    return [`the database: ${error instanceof Error ? error.message : String(error)}`];
  }
}

async function listenOn(
  config: Config,
  listen: (options: { path: string } | { host: string; port: number }) => Promise<string>,
): Promise<string> {
  const http: HttpAddress = config.http;
  if (http.kind === "tcp") {
    const address = await listen({ host: http.host, port: http.port });
    // With any free port only the socket knows the address.
    return http.port === 0 ? address : config.publicUrl.origin;
  }
  // Left by a process that was killed; a living one would have the database.
  try {
    unlinkSync(http.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await listen({ path: http.path });
  return config.publicUrl.origin;
}

/** Composed configs keep the way to the control plane open by address; a name that does not resolve here is left to the server's own file. */
async function literalAddresses(names: readonly string[], port: number, log: Logger): Promise<House["controlPlane"]> {
  const found = await Promise.all(
    names.map(async (name): Promise<readonly string[]> => {
      if (isIP(name) !== 0) return [name];
      try {
        return (await lookup(name, { all: true })).map(({ address }) => address);
      } catch (error) {
        log.warn(
          { err: error, name },
          "a name that agents dial does not resolve here; composed configs keep open what the addresses say",
        );
        return [];
      }
    }),
  );
  const isReachable = (address: string): boolean => !address.startsWith("127.") && address !== "::1";
  const addresses = [...new Set(found.flat())];
  const outside = addresses.filter(isReachable);
  return (outside.length > 0 ? outside : addresses).toSorted().map((address) => ({ address, port }));
}

function dialAddress(names: readonly string[], port: number): string {
  const name = names[0] ?? "127.0.0.1";
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= work());
}
