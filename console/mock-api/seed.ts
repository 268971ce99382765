import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { type ScriptName, SCRIPTS, WINDOW_SECONDS } from "./script.ts";
import { addPeople, addWaitingChange, person } from "./seed-people.ts";
import { type MockServer, type MockState, nextId } from "./state.ts";
import {
  BRANCH_GATEWAY,
  FLOOR,
  MONITORING,
  OFFICE,
  OFFICE_NET,
  REMOTE_STAFF,
  serverText,
  TUNNEL,
  WEB_HOST,
} from "./texts.ts";

export const SCENARIOS = ["empty", "calm", "busy", "large"] as const;
/** empty: nothing yet. calm: a fleet where all is well. busy: every state there is. large: 10,000 servers. */
export type Scenario = (typeof SCENARIOS)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LARGE = 10_000;

const iso = (ms: number): string => new Date(ms).toISOString();

export function seed(scenario: Scenario, nowMs: number): MockState {
  const state: MockState = {
    servers: [],
    documents: [],
    changes: [],
    rollouts: [],
    applies: [],
    users: [],
    tokens: [],
    roles: [],
    secrets: [],
    deliveries: [],
    audit: [],
    sessions: new Map(),
    passkeys: [],
    provider: null,
    identities: [],
    fresh: new Set(),
    // Of a fleet the log was cut, so that pages show what that looks like.
    knowMore: scenario === "large" ? ["node-00003", "node-00017"] : [],
    counter: 0,
  };
  const everything = PERMISSIONS.map((permission) => ({ permission, scope: { all: true as const }, domains: null }));
  state.users.push(
    person("admin", { password: "correct horse", permissions: everything }),
    person("new", { password: "one time only", mustChangePassword: true, permissions: everything }),
    person("viewer", {
      password: "only looking on",
      permissions: [{ permission: "view", scope: { all: true }, domains: null }],
    }),
  );
  if (scenario === "empty") return state;
  addPeople(state, nowMs);
  state.passkeys.push(
    {
      id: nextId(state, "passkey"),
      name: "work laptop",
      createdAt: new Date(nowMs - 40 * 86_400_000).toISOString(),
      lastUsedAt: new Date(nowMs - 3_600_000).toISOString(),
      synced: false,
    },
    {
      id: nextId(state, "passkey"),
      name: "phone",
      createdAt: new Date(nowMs - 39 * 86_400_000).toISOString(),
      lastUsedAt: null,
      synced: true,
    },
  );
  state.tokens.push({
    id: nextId(state, "token"),
    name: "nightly plan",
    permissions: ["view"],
    scope: { all: true },
    domains: null,
    createdAt: iso(nowMs - 40 * 24 * HOUR),
    expiresAt: iso(nowMs + 50 * 24 * HOUR),
    lastUsedAt: iso(nowMs - 5 * HOUR),
  });
  addDocuments(state, nowMs);
  if (scenario === "large")
    for (let index = 1; index <= LARGE; index += 1)
      addServer(state, nowMs, `node-${String(index).padStart(5, "0")}`, {
        role: ["web", "db", "cache", "branch-gateway"][index % 4] ?? "web",
        site: ["seoul", "busan", "tokyo"][index % 3] ?? "seoul",
      });
  else {
    for (const [name, labels] of FLEET) addServer(state, nowMs, name, labels);
    addHistory(state, nowMs);
    if (scenario === "busy") {
      makeBusy(state, nowMs);
      addWaitingChange(state, nowMs);
    }
  }
  return state;
}

const FLEET: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["web-1", { role: "web", site: "seoul" }],
  ["web-2", { role: "web", site: "seoul" }],
  ["web-3", { role: "web", site: "busan" }],
  ["gw-seoul", { role: "branch-gateway", site: "seoul" }],
  ["gw-busan", { role: "branch-gateway", site: "busan" }],
  ["db-1", { role: "db", site: "seoul", tier: "gold" }],
  ["db-2", { role: "db", site: "busan", tier: "gold" }],
  ["mon-1", { role: "monitoring", site: "seoul" }],
];

function addDocuments(state: MockState, nowMs: number): void {
  const older = WEB_HOST.replace(
    "      - name: metrics\n        allow: tcp/9100\n        from: role:monitoring\n        why: OPS-812\n",
    "",
  );
  const versions: readonly (readonly [string, string, readonly string[]])[] = [
    ["Policy", "web-host", [older.replace("tcp/443, udp/443", "tcp/443"), older, WEB_HOST]],
    ["Policy", "branch-gateway", [BRANCH_GATEWAY]],
    ["Policy", "monitoring", [MONITORING]],
    ["Policy", "office-net", [OFFICE_NET]],
    ["Tunnel", "seoul-busan", [TUNNEL]],
    ["Tunnel", "remote-staff", [REMOTE_STAFF]],
    ["Group", "partner-networks", [OFFICE]],
    ["Floor", "operations", [FLOOR]],
    ...FLEET.map(([name, labels]) => ["Server", name, [serverText(name, labels)]] as const),
  ];
  for (const [kind, name, texts] of versions) {
    state.documents.push({
      kind,
      name,
      revisions: texts.map((text, index) => ({
        revision: index + 1,
        text,
        author: index % 2 === 0 ? "admin" : "sora",
        at: iso(nowMs - (texts.length - index) * 26 * HOUR),
        changeId: "019abc00-0000-7000-8000-000000000001",
        comment: ["First version", "QUIC for the web servers", "Metrics for monitoring (OPS-812)"][index] ?? "",
      })),
    });
  }
}

function addServer(state: MockState, nowMs: number, name: string, labels: Readonly<Record<string, string>>): void {
  const server: MockServer = {
    id: nextId(state, "server"),
    name,
    labels: { ...labels },
    enrolment: "enrolled",
    connected: true,
    lastSeenAt: iso(nowMs - 3000),
    generation: 41,
    locked: null,
    paused: null,
    drift: [],
    floor: [],
    agentVersion: "0.1.0",
    bootId: "7d1f3a52-9c0e-4a83-9d2c-5b7d0c0f7a11",
    capabilities: [
      { domain: "firewall", available: true, reason: "", module: "holdfast 0.1.0", lacks: [] },
      {
        domain: "network",
        available: true,
        reason: "",
        module: "holdfast 0.1.0",
        lacks: [
          {
            feature: "bond",
            code: "network.kernel_lacks",
            reason: "The kernel of this server cannot make a bond.",
            remedy: "Load the module or use another kernel; nothing is changed until then.",
          },
        ],
      },
      { domain: "system", available: true, reason: "", module: "holdfast 0.1.0", lacks: [] },
      {
        domain: "vpn",
        available: false,
        reason: "this agent has no module for vpn: upgrade it",
        module: "",
        lacks: null,
      },
    ],
    lacksAt: iso(nowMs - 60_000),
    facts: {
      os: "Debian GNU/Linux 12",
      kernel: "6.1.0-28-amd64",
      interfaces: [{ name: "eth0", mac: "52:54:00:aa:10:01", addresses: ["203.0.113.10/26"] }],
    },
    quarantined: [],
    pendingKey: null,
    etag: "1",
  };
  state.servers.push(server);
}

/** An apply that began so long ago and went by a script. */
function addApply(
  state: MockState,
  nowMs: number,
  server: string,
  title: string,
  script: ScriptName,
  agoMs: number,
  requestedBy = "admin",
): void {
  const startMs = nowMs - agoMs;
  const changeId = nextId(state, "change");
  const rolloutId = nextId(state, "rollout");
  const moments = SCRIPTS[script];
  const last = moments.at(-1);
  const isEnded = last !== undefined && last.phase === null && agoMs >= last.afterMs;
  const head = state.documents[0]?.revisions.at(-1);
  state.changes.push({
    id: changeId,
    title,
    reason: "",
    author: requestedBy,
    createdAt: iso(startMs - 90_000),
    state: "READY",
    items: [
      {
        kind: "Policy",
        name: "web-host",
        text: head?.text ?? "",
        baseRevision: 2,
        baseText: state.documents[0]?.revisions[1]?.text ?? null,
      },
    ],
    plans: [],
    rolloutIds: [rolloutId],
    version: 1,
  });
  state.rollouts.push({
    id: rolloutId,
    changeId,
    kind: "forward",
    requestedBy,
    createdAt: iso(startMs),
    waves: [[server]],
    state: isEnded ? "DONE" : "RUNNING",
    haltMessage: null,
    finishedAt: isEnded ? iso(startMs + 7000) : null,
  });
  state.applies.push({
    base: {
      id: nextId(state, "apply"),
      changeId,
      changeTitle: title,
      rolloutId,
      server,
      wave: 0,
      requestedBy,
      requestedAt: iso(startMs - 1000),
      retryOf: null,
      retryCount: 0,
      requestId: nextId(state, "request"),
    },
    startMs,
    windowSeconds: WINDOW_SECONDS[script],
    kind: "forward",
    script: moments,
  });
  state.audit.push({
    at: iso(startMs),
    actor: requestedBy,
    action: "change.apply",
    object: changeId,
    server,
    requestId: null,
    resultCode: "ok",
    new: { title },
  });
}

function addHistory(state: MockState, nowMs: number): void {
  for (const [index, [name]] of FLEET.entries())
    addApply(
      state,
      nowMs,
      name,
      "Metrics for monitoring (OPS-812)",
      "good",
      (index + 1) * 47 * MINUTE,
      index % 2 === 0 ? "admin" : "sora",
    );
  state.audit.unshift({
    at: iso(nowMs - 9 * HOUR),
    actor: "admin",
    action: "server.enrol",
    object: "mon-1",
    server: "mon-1",
    requestId: null,
    resultCode: "ok",
    new: null,
  });
}

function makeBusy(state: MockState, nowMs: number): void {
  const server = (name: string): MockServer => {
    const found = state.servers.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the seed has no server ${name}`);
    return found;
  };
  addApply(state, nowMs, "web-3", "Close the old admin port", "probe", 5 * HOUR, "sora");
  addApply(state, nowMs, "gw-busan", "Guests out by night", "refused", 3 * HOUR);
  addApply(state, nowMs, "db-2", "Only the application may reach PostgreSQL", "restore_failed", 70 * MINUTE, "sora");
  addApply(state, nowMs, "web-1", "Staging for partners", "cut", 20 * MINUTE);
  addApply(state, nowMs, "web-2", "HTTP/3 for everybody", "person", 8000, "sora");
  addApply(state, nowMs, "gw-seoul", "Branch VPN ports", "doubt", 40_000);
  Object.assign(server("db-2"), {
    locked: { code: "apply.restore_failed", reason: "The undo of an apply failed: nft refused the snapshot." },
    quarantined: [
      { kind: "Policy", name: "web-host", revision: 2, code: "apply.restore_failed", at: iso(nowMs - 69 * MINUTE) },
    ],
  });
  Object.assign(server("web-3"), { drift: ["system", "network", "firewall"] });
  Object.assign(server("db-1"), {
    drift: ["firewall"],
    floor: [
      {
        domain: "firewall",
        lost: [{ path: "table", expected: "the table inet holdfast", found: "no table inet holdfast" }],
        whenLost: "repair",
        repairs: [28, 17, 4].map((ago) => ({ at: iso(nowMs - ago * MINUTE), lost: "table", failure: "" })),
        gaveUp: true,
      },
    ],
  });
  Object.assign(server("mon-1"), { paused: { until: iso(nowMs + 2 * HOUR), reason: "Disk is being replaced" } });
  Object.assign(server("gw-seoul"), { connected: false, lastSeenAt: iso(nowMs - 38_000) });
  addServer(state, nowMs, "web-4", { role: "web", site: "busan" });
  Object.assign(server("web-4"), {
    enrolment: "pending",
    connected: false,
    generation: 0,
    lastSeenAt: null,
    agentVersion: null,
    bootId: null,
    capabilities: [],
    pendingKey: { fingerprint: "SHA256:9Qm1 c2Xr 7VbK 0dTn 4sLw", since: iso(nowMs - 2 * MINUTE) },
  });
  state.audit.push({
    at: iso(nowMs - 12 * MINUTE),
    actor: "jules",
    action: "session.login",
    object: "jules",
    server: null,
    requestId: null,
    resultCode: "account.disabled",
    new: null,
  });
}
