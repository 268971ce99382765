import { certificateStanding } from "@holdfast/core/access/certificate-standing.ts";
import type { Certificate } from "@holdfast/core/api/certificate.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import { effectiveConfig, liveState } from "./config.ts";
import { tunnelFindings } from "./live-vpn.ts";
import { type MockServer, nextId } from "./state.ts";
import { TOOLS_HERE } from "./tools.ts";
import { applySummary, serverDetail, serverSummary } from "./view.ts";

const HOUR_MS = 3_600_000;
const LIFE_MS = 7 * 24 * HOUR_MS;
const done = { status: 200, body: { done: true } } as const;

function serverOf({ state, params }: MockCall): MockServer {
  return (
    state.servers.find((one) => one.name === params["name"]) ??
    refuse("resource.not_found", `There is no server ${params["name"] ?? ""}, or you may not see it.`)
  );
}

/** Seven days of life, renewed at half of it; whoever is away was not. */
function certificate(server: MockServer, index: number, nowMs: number): Certificate {
  const isEnrolled = server.enrolment === "enrolled";
  const leftMs = server.connected ? LIFE_MS / 2 + ((index * 7) % 80) * HOUR_MS : 30 * HOUR_MS;
  const notAfterMs = isEnrolled ? nowMs + leftMs : null;
  return {
    server: server.name,
    standing: certificateStanding(
      { enrolment: server.enrolment, lockedCode: server.locked?.code ?? null, notAfterMs },
      nowMs,
    ),
    fingerprint: isEnrolled ? `SHA256:${"kX3v91LzQe0p7HsMwB2t".repeat(2)}${index}` : null,
    serial: isEnrolled ? `4f${index}` : null,
    since: isEnrolled ? new Date(nowMs + leftMs - LIFE_MS).toISOString() : null,
    notAfter: notAfterMs === null ? null : new Date(notAfterMs).toISOString(),
    earlier: isEnrolled ? 12 + index : 0,
    revokedAt: null,
    connected: server.connected,
  };
}

export const SERVER_HANDLERS = {
  listServers: ({ state, query, nowMs }) => {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const items = state.servers.slice(start, start + limit).map((server) => serverSummary(state, server, nowMs));
    return {
      status: 200,
      body: { items, nextCursor: start + limit < state.servers.length ? String(start + limit) : null },
    };
  },
  listCertificates: ({ state, query, nowMs }) => {
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("cursor") ?? 0);
    const items = state.servers
      .slice(start, start + limit)
      .map((server, index) => certificate(server, start + index, nowMs));
    return {
      status: 200,
      body: { items, nextCursor: start + limit < state.servers.length ? String(start + limit) : null },
    };
  },
  createServer: ({ state, body, nowMs }) => {
    const name = String(body["name"]);
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name))
      return refuse("request.invalid", "A server’s name has lower-case letters, digits and hyphens.");
    if (state.servers.some((one) => one.name === name)) return refuse("server.exists", `There is a server ${name}.`);
    const server: MockServer = {
      id: nextId(state, "server"),
      name,
      labels: body["labels"] as Record<string, string>,
      enrolment: "expected",
      connected: false,
      lastSeenAt: null,
      generation: 0,
      locked: null,
      paused: null,
      drift: [],
      floor: [],
      agentVersion: null,
      bootId: null,
      capabilities: [],
      lacksAt: null,
      facts: null,
      quarantined: [],
      pendingKey: null,
      etag: "1",
    };
    state.servers.push(server);
    return { status: 201, body: serverDetail(state, server, nowMs) };
  },
  getServer: (call) => ({ status: 200, body: serverDetail(call.state, serverOf(call), call.nowMs) }),
  enrolServer: (call) => {
    const server = serverOf(call);
    // The command is "run" at once: there is nobody who could.
    Object.assign(server, {
      enrolment: "pending",
      pendingKey: { fingerprint: "SHA256:kX3v 91Lz Qe0p 7HsM wB2t", since: new Date(call.nowMs).toISOString() },
    });
    return {
      status: 201,
      body: {
        token: "hfe_mock",
        expiresAt: new Date(call.nowMs + HOUR_MS).toISOString(),
        command: `curl -fsS http://127.0.0.1:7080/enroll.sh | sh -s -- --server ${server.name} --token hfe_mock_7Jq2mT9x --ca SHA256:4f9a`,
        caFingerprint: "SHA256:4f9a 0c2e 77b1 d3f8",
      },
    };
  },
  approveServerKey: (call) => {
    const server = serverOf(call);
    if (server.pendingKey?.fingerprint !== call.body["fingerprint"])
      return refuse("server.key_other", "The key that waits has another fingerprint.");
    Object.assign(server, {
      enrolment: "enrolled",
      connected: true,
      pendingKey: null,
      lastSeenAt: new Date(call.nowMs).toISOString(),
      agentVersion: "0.1.0",
    });
    return done;
  },
  pauseServer: (call) => {
    Object.assign(serverOf(call), {
      paused: {
        until: new Date(call.nowMs + Number(call.body["seconds"]) * 1000).toISOString(),
        reason: String(call.body["reason"]),
      },
    });
    return done;
  },
  resumeServer: (call) => {
    Object.assign(serverOf(call), { paused: null });
    return done;
  },
  unlockServer: (call) => {
    Object.assign(serverOf(call), { locked: null });
    return done;
  },
  releaseServer: (call) => {
    Object.assign(serverOf(call), { enrolment: "released", connected: false });
    return done;
  },
  getServerConfig: (call) => {
    const { name } = serverOf(call);
    return { status: 200, body: effectiveConfig(name) };
  },
  getServerLive: (call) => {
    const server = serverOf(call);
    if (!server.connected) return refuse("server.unreachable", `The agent of ${server.name} is not connected.`);
    return { status: 200, body: liveState(server.name, server.drift, call.nowMs) };
  },
  listServerApplies: (call) => {
    const { name } = serverOf(call);
    const items = call.state.applies
      .filter((apply) => apply.base.server === name)
      .map((apply) => applySummary(apply, call.nowMs))
      .toSorted((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
    return { status: 200, body: { items, nextCursor: null } };
  },
  actOnTunnel: (call) => {
    const server = serverOf(call);
    if (!server.connected) return refuse("server.unreachable", `The agent of ${server.name} is not connected.`);
    const { preview = false, ...wish } = call.body as { readonly preview?: boolean; readonly act: string };
    const findings = tunnelFindings(wish.act, call.params["tunnel"] ?? "");
    return {
      status: 200,
      body: { id: preview ? null : nextId(call.state, "act"), outcome: preview ? "possible" : "done", findings },
    };
  },
  listTools: (call) => {
    const server = serverOf(call);
    if (!server.connected) return refuse("server.unreachable", `The agent of ${server.name} is not connected.`);
    return { status: 200, body: TOOLS_HERE };
  },
  explainPacket: () => refuse("explain.impossible", "The mock judges no packets."),
} as const satisfies Partial<Record<RouteName, MockHandler>>;
