import type { SecretCertificateView } from "@holdfast/core/api/secret.ts";
import { type MockState, type MockUser, nextId } from "./state.ts";

const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

export const MOCK_ISSUER = "https://id.example.com/realms/company";

/** An account with nothing special about it but what is said. */
export function person(name: string, more: Partial<MockUser> & Pick<MockUser, "password">): MockUser {
  return {
    name,
    kind: "person",
    secondFactor: false,
    mustChangePassword: false,
    disabled: false,
    permissions: [],
    roles: [],
    ...more,
  };
}

/** Who else there is, what is kept secret, and who was told of what. */
export function addPeople(state: MockState, nowMs: number): void {
  state.roles.push(
    {
      name: "operator",
      description: "Writes changes and applies them",
      permissions: ["view", "edit", "apply"],
      etag: "1",
    },
    { name: "reviewer", description: "Looks at changes of others", permissions: ["view", "approve"], etag: "1" },
  );
  state.users.push(
    person("sora", {
      password: "-",
      secondFactor: true,
      permissions: [
        { permission: "view", scope: { all: true }, domains: null },
        { permission: "apply", scope: { site: "seoul" }, domains: ["firewall"] },
      ],
      roles: [{ role: "reviewer", scope: { site: "seoul", role: "web" }, domains: null }],
    }),
    person("jules", { password: "-", disabled: true }),
    person("nightly-ci", {
      password: "-",
      kind: "service",
      permissions: [{ permission: "view", scope: { all: true }, domains: null }],
    }),
  );
  state.identities.push(
    {
      user: "admin",
      id: nextId(state, "link"),
      issuer: MOCK_ISSUER,
      subject: "248289761001",
      linkedAt: iso(nowMs - 900 * HOUR),
    },
    {
      user: "sora",
      id: nextId(state, "link"),
      issuer: MOCK_ISSUER,
      subject: "f7c2b1d0-6a3e-4f0a-9e55-1c8d2ab37e14",
      linkedAt: iso(nowMs - 700 * HOUR),
    },
  );
  state.sessions.set("at-home", "admin");
  state.sessions.set("at-work", "sora");
  addSecrets(state, nowMs);
  addDeliveries(state, nowMs);
}

/** Written by somebody else; it waits for one more person. */
export function addWaitingChange(state: MockState, nowMs: number): void {
  const text = state.documents[0]?.revisions.at(-1)?.text ?? null;
  state.changes.push({
    id: nextId(state, "change"),
    title: "Metrics for the new monitoring",
    reason: "The old one goes at the end of the month.",
    author: "sora",
    createdAt: iso(nowMs - 2 * HOUR),
    state: "DRAFT",
    items: [{ kind: "Policy", name: "web-host", text, baseRevision: 3, baseText: text }],
    plans: [],
    rolloutIds: [],
    version: 1,
    approvals: { needed: 1, given: [] },
  });
}

function addSecrets(state: MockState, nowMs: number): void {
  const version = (number: number, fingerprint: string, hours: number, days: number | null = null) => ({
    version: number,
    fingerprint,
    madeBy: "admin",
    madeAt: iso(nowMs - hours * HOUR),
    dueAt: days === null ? null : iso(nowMs + (days * 24 - hours) * HOUR),
    certificate: null,
  });
  const certificate = (end: string): SecretCertificateView => ({
    subject: `CN=gw-${end}, OU=tunnel busan-jeju`,
    issuer: "CN=Holdfast tunnels 1",
    serial: "5f0c7d20b1a94be28d6e3f1122334455",
    fingerprint: "9b1d".repeat(16),
    notBefore: iso(nowMs - 343 * 24 * HOUR),
    notAfter: iso(nowMs + 22 * 24 * HOUR),
    isChained: true,
    pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    authorityPem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  });
  state.secrets.push(
    {
      name: "acme-vpn",
      kind: "written",
      versions: [version(1, "9f2c41d07b3e", 2000), version(2, "01b8e6aa94cf", 30)],
      usedBy: [],
      etag: "2",
    },
    ...["busan", "jeju"].map((end) => ({
      name: `tunnel.busan-jeju--${end}`,
      kind: "generated" as const,
      versions: [
        {
          ...version(1, end === "busan" ? "77d0c2b5ae13" : "1f4e9a60d8c2", 343 * 24, 335),
          certificate: certificate(end),
        },
      ],
      usedBy: [{ document: "Tunnel/busan-jeju", version: 1, as: "in_force" as const }],
      etag: "1",
    })),
    {
      name: "tunnel.seoul-busan",
      kind: "generated",
      versions: [version(1, "c41f0a9d22b7", 700, 90)],
      usedBy: [
        { document: "Tunnel/seoul-busan", version: 1, as: "head" },
        { document: "Tunnel/seoul-busan", version: 1, as: "in_force" },
      ],
      etag: "1",
    },
  );
}

function addDeliveries(state: MockState, nowMs: number): void {
  const delivery = {
    alertId: "019ab000-0000-7000-8000-0000000000a1",
    event: "opened",
    tries: 1,
    nextTryAt: null,
    lastStatus: 200,
    lastError: null,
  } as const;
  state.deliveries.push(
    {
      ...delivery,
      id: "019ab000-0000-7000-8000-0000000000d3",
      channel: "pager",
      state: "waiting",
      tries: 3,
      nextTryAt: iso(nowMs + HOUR),
      lastStatus: null,
      lastError: "connect ECONNREFUSED 192.0.2.7:443",
      createdAt: iso(nowMs - HOUR),
      finishedAt: null,
    },
    {
      ...delivery,
      id: "019ab000-0000-7000-8000-0000000000d2",
      channel: "ops",
      state: "delivered",
      createdAt: iso(nowMs - HOUR),
      finishedAt: iso(nowMs - HOUR),
    },
    {
      ...delivery,
      id: "019ab000-0000-7000-8000-0000000000d1",
      channel: "ops",
      event: "resolved",
      state: "given_up",
      tries: 12,
      lastStatus: 500,
      createdAt: iso(nowMs - 40 * HOUR),
      finishedAt: iso(nowMs - 16 * HOUR),
    },
  );
}
