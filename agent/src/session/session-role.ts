import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AGENT_SESSION_ALPN } from "@holdfast/proto/wire/session.ts";
import packageJson from "../../package.json" with { type: "json" };
import { EXIT, type ExitCode } from "../exit-code.ts";
import { reasonOf } from "../log/log.ts";
import { tellReady } from "../os/processes.ts";
import type { RoleBasis } from "../role-basis.ts";
import { serveOver, type ServedConnection } from "../rpc/http2-service.ts";
import { tracedService } from "../rpc/trace-hop.ts";
import { readIdentity, type Identity } from "../settings.ts";
import { type Captures, openCaptures } from "../tool/captures.ts";
import { ToolRuns } from "../tool/tool-runs.ts";
import { KeptSpans } from "../trace/kept-spans.ts";
import { untilSignal } from "../until-signal.ts";
import { pauseBeforeDial } from "./backoff.ts";
import { readCredentials } from "./credentials.ts";
import { dial } from "./dial.ts";
import { GuardLink } from "./guard-link.ts";
import { hostRoutes } from "./host-service.ts";
import { keepAlive } from "./keep-alive.ts";
import { Measures } from "./measures.ts";
import { Moves } from "./moves.ts";
import { isDueForRenewal, renew } from "./renew.ts";
import { serveMeasures } from "./serve-measures.ts";
import { Watching } from "./watching.ts";

/**
 * The session: dials the control plane, serves `HostService` over the connection it dialled, passes on what is signed. It holds no right to
 * change anything; a breach of it changes nothing on the server.
 *
 *   E1. There is one connection at a time, but for the moment in which a new one takes the place of an old one.
 *   E2. When the server goes on trial, every connection is closed and a new one dialled, with a new TCP and a new TLS handshake.
 *   E3. A connection that is gone is dialled again, for ever, with growing pauses.
 */

/** Milliseconds for which a closing connection may finish the answer that is under way. */
const DRAIN_MS = 1_000;
/** Milliseconds after which a connection counts as good, and the next failure as the first. */
const GOOD_AFTER_MS = 10_000;
const LOOK_AT_CERTIFICATE_MS = 60_000;
/** Runs of tools at the same time: small programs, but each is a process of a server that has other things to do. */
const MOST_TOOLS = 4;

export async function runSession(role: RoleBasis, readyDescriptor: number | null): Promise<ExitCode> {
  const identity = readIdentity(role.paths);
  const credentials = readCredentials(role.paths);
  if (!identity.ok || !credentials.ok) {
    role.log.error(
      "the session cannot start",
      {},
      { reason: identity.ok ? (credentials.ok ? "" : credentials.error) : identity.error },
    );
    return EXIT.failed;
  }
  const session = new Session(role, identity.value);
  const stop = new AbortController();
  const measures = await session.serveMeasures();
  if (readyDescriptor !== null) tellReady(readyDescriptor);
  const dialling = session.dialForEver(stop.signal);
  await untilSignal(["SIGTERM", "SIGINT"], stop.signal);
  stop.abort();
  measures?.close();
  session.close();
  await dialling;
  return EXIT.done;
}

class Session {
  readonly #role: RoleBasis;
  readonly #identity: Identity;
  readonly #guard: GuardLink;
  readonly #watching: Watching;
  readonly #spans = new KeptSpans();
  readonly #measures = new Measures();
  readonly #tools: ToolRuns;
  readonly #captures: Captures;
  #certificateEndsMs: number | null = null;
  readonly #connections = new Map<ServedConnection, bigint>();
  /** The request whose trial has already had its fresh connection. */
  #freshFor = "";
  #redial = new AbortController();

  constructor(role: RoleBasis, identity: Identity) {
    this.#role = role;
    this.#identity = identity;
    this.#guard = new GuardLink(role.paths.guardSocket);
    this.#tools = new ToolRuns({
      tools: ["ping", "trace", "resolve"],
      most: MOST_TOOLS,
      log: role.log,
      nowMs: () => performance.now(),
    });
    this.#captures = openCaptures(role.paths.captureSocket, role.log);
    this.#watching = new Watching({
      guard: this.#guard,
      log: role.log,
      driftSeconds: role.settings.driftSeconds,
      moves: new Moves(role.paths.run),
      onLook: (domain, isDrifted, isFloorLost) => this.#measures.drift(domain, isDrifted, isFloorLost),
      onTrial: (requestId) => this.#goFresh(requestId),
    });
  }

  async dialForEver(stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted;) {
      const startedMs = performance.now();
      const ended = await this.#dialOnce(stop);
      if (stop.aborted) return;
      if (this.#redial.signal.aborted) {
        this.#redial = new AbortController();
        failures = 0;
        continue; // E2: at once
      }
      failures = performance.now() - startedMs > GOOD_AFTER_MS ? 0 : failures + 1;
      const pauseMs = pauseBeforeDial(failures, randomInt(1 << 30) / (1 << 30));
      this.#role.log.warn(
        "no session with the control plane; dialling again",
        {},
        { reason: ended, pause_ms: pauseMs },
      );
      await sleep(pauseMs, undefined, { signal: AbortSignal.any([stop, this.#redial.signal]) }).catch(() => undefined);
    }
  }

  /** Serves one connection of either direction until it ends. */
  #serve(socket: Parameters<typeof serveOver>[0], sinceMonotonicNs: bigint): ServedConnection {
    const connection: ServedConnection = serveOver(
      socket,
      hostRoutes({
        sinceMonotonicNs,
        guard: this.#guard,
        watching: this.#watching,
        measures: this.#measures,
        tools: this.#tools,
        captures: this.#captures,
        onFirstCall: () => void this.#announce(sinceMonotonicNs),
        onTrial: (requestId) => this.#goFresh(requestId),
        spansOf: (traceId) => this.#spans.of(traceId),
      }),
      [tracedService("session", (traceId, spans) => this.#spans.add(traceId, spans))],
    );
    this.#connections.set(connection, sinceMonotonicNs);
    this.#measures.sessionBegan();
    keepAlive(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }

  /** Null where there is no place for it: an agent that cannot be watched works all the same. */
  async serveMeasures(): Promise<{ close(): void } | null> {
    try {
      return await serveMeasures(this.#role.paths.metricsSocket, () =>
        this.#measures.text({
          version: packageJson.version,
          connections: this.#connections.size,
          certificateEndsMs: this.#certificateEndsMs,
          nowMs: this.#role.clock.wallMs(),
          residentBytes: process.memoryUsage.rss(),
          uptimeSeconds: process.uptime(),
        }),
      );
    } catch (error) {
      this.#role.log.warn("there are no metrics of this agent", {}, { reason: reasonOf(error) });
      return null;
    }
  }

  close(): void {
    this.#tools.close();
    this.#captures.close();
    this.#watching.close();
    for (const connection of this.#connections.keys()) connection.destroy();
    this.#guard.close();
  }

  /** Dials, serves, and comes back with the reason when that has ended. */
  async #dialOnce(stop: AbortSignal): Promise<string> {
    const credentials = readCredentials(this.#role.paths);
    if (!credentials.ok) return credentials.error;
    this.#certificateEndsMs = credentials.value.notAfterMs;
    const sinceMonotonicNs = process.hrtime.bigint();
    const socket = await dial(this.#identity.controlPlane, credentials.value, AGENT_SESSION_ALPN);
    if (!socket.ok) {
      this.#measures.dialFailed();
      return socket.error;
    }
    // A trial that began while this was dialled: it began before, so it proves nothing (E2).
    if (stop.aborted || this.#redial.signal.aborted) {
      socket.value.destroy();
      return "the connection came too early";
    }
    const connection = this.#serve(socket.value, sinceMonotonicNs);
    this.#role.log.info("session with the control plane", { serverId: this.#identity.serverId });
    const renewal = setInterval(() => void this.#renewWhenDue(), LOOK_AT_CERTIFICATE_MS);
    void this.#renewWhenDue();
    const redialled = new Promise<void>((resolve) =>
      this.#redial.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    await Promise.race([connection.closed, redialled]);
    clearInterval(renewal);
    return "the connection ended";
  }

  /** E2. Once for each trial: the connections that come later are fresh. */
  #goFresh(requestId: string): void {
    if (this.#freshFor === requestId) return;
    this.#freshFor = requestId;
    this.#role.log.info("on trial: every session is closed and a new one dialled", { requestId });
    this.#watching.endWatches();
    for (const connection of this.#connections.keys()) {
      connection.drain();
      setTimeout(() => connection.destroy(), DRAIN_MS).unref();
    }
    this.#redial.abort();
  }

  async #announce(sessionMonotonicNs: bigint): Promise<void> {
    try {
      await this.#guard.call((client) => client.sessionEstablished({ sessionMonotonicNs }));
    } catch (error) {
      this.#role.log.warn("the guard could not be told of the new session", {}, { reason: reasonOf(error) });
    }
  }

  async #renewWhenDue(): Promise<void> {
    const credentials = readCredentials(this.#role.paths);
    if (!credentials.ok || !isDueForRenewal(credentials.value, this.#role.clock.wallMs())) return;
    const renewed = await renew(this.#role.paths, this.#identity, credentials.value);
    if (renewed.ok) this.#role.log.info("certificate renewed", { serverId: this.#identity.serverId });
    else
      this.#role.log.error(
        "the certificate could not be renewed; it is tried again",
        { serverId: this.#identity.serverId },
        { reason: renewed.error, not_after_ms: credentials.value.notAfterMs },
      );
  }
}
