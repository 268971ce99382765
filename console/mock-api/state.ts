import type { Permission } from "@holdfast/core/api/account.ts";
import type { Delivery } from "@holdfast/core/api/alert.ts";
import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { Plan } from "@holdfast/core/api/change.ts";
import type { Secret } from "@holdfast/core/api/secret.ts";
import type { ServerDetail } from "@holdfast/core/api/server.ts";
import type { ApplyState } from "@holdfast/core/apply/state.ts";
import type { Moment } from "./script.ts";

export interface MockApply {
  readonly base: Pick<
    ApplySummary,
    | "id"
    | "changeId"
    | "changeTitle"
    | "rolloutId"
    | "server"
    | "wave"
    | "requestedBy"
    | "requestedAt"
    | "retryOf"
    | "retryCount"
    | "requestId"
  >;
  readonly startMs: number;
  readonly windowSeconds: number;
  readonly kind: "forward" | "rollback";
  script: readonly Moment[];
}

export interface MockRevision {
  readonly revision: number;
  readonly text: string | null;
  readonly author: string;
  readonly at: string;
  readonly changeId: string;
  readonly comment: string;
}

export interface MockDocument {
  readonly kind: string;
  readonly name: string;
  readonly revisions: MockRevision[];
}

export interface MockItem {
  readonly kind: string;
  readonly name: string;
  readonly text: string | null;
  readonly baseRevision: number;
  readonly baseText: string | null;
}

export interface MockChange {
  readonly id: string;
  readonly title: string;
  readonly reason: string;
  readonly author: string;
  readonly createdAt: string;
  state: ApplyState;
  items: readonly MockItem[];
  plans: readonly Plan[];
  readonly rolloutIds: string[];
  /** Absent: none is needed. */
  readonly approvals?: { readonly needed: number; readonly given: { user: string; at: string }[] };
  version: number;
}

export interface MockRollout {
  readonly id: string;
  readonly changeId: string;
  readonly kind: "forward" | "rollback";
  readonly requestedBy: string;
  readonly createdAt: string;
  /** Servers by wave; an apply is made when its wave opens. */
  readonly waves: readonly (readonly string[])[];
  state: "RUNNING" | "PAUSED" | "HALTED" | "DONE";
  haltMessage: string | null;
  finishedAt: string | null;
}

export type MockServer = Omit<ServerDetail, "open" | "lastSuccess" | "lastFailure" | "policies">;

type MockDomains = ("system" | "network" | "firewall" | "vpn")[] | null;

export interface MockUser {
  readonly name: string;
  readonly kind: "person" | "service";
  secondFactor: boolean;
  roles: { role: string; scope: Record<string, string | true>; domains: MockDomains }[];
  password: string;
  mustChangePassword: boolean;
  disabled: boolean;
  permissions: {
    permission: Permission;
    scope: Record<string, string | true>;
    domains: MockDomains;
  }[];
}

export interface MockAudit {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly server: string | null;
  readonly requestId: string | null;
  readonly resultCode: string;
  readonly new: unknown;
}

export interface MockRole {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly etag: string;
}

export interface MockToken {
  /** Absent: of admin. */
  readonly owner?: string;
  readonly scope: Readonly<Record<string, string | true>>;
  readonly domains: readonly string[] | null;
  readonly id: string;
  readonly name: string;
  readonly permissions: Permission[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface MockPasskey {
  readonly id: string;
  name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly synced: boolean;
}

export interface MockIdentity {
  readonly user: string;
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly linkedAt: string;
}

export interface MockState {
  /** What the provider is called; null: there is none. */
  provider: string | null;
  readonly identities: MockIdentity[];
  readonly servers: MockServer[];
  readonly documents: MockDocument[];
  readonly changes: MockChange[];
  readonly rollouts: MockRollout[];
  readonly applies: MockApply[];
  readonly users: MockUser[];
  readonly tokens: MockToken[];
  readonly roles: MockRole[];
  readonly secrets: Secret[];
  readonly deliveries: Delivery[];
  readonly audit: MockAudit[];
  readonly sessions: Map<string, string>;
  /** Of whoever is signed in. */
  readonly passkeys: MockPasskey[];
  /** Sessions that have shown a second factor. */
  readonly fresh: Set<string>;
  /** Servers that know more of the audit log than the database has. */
  knowMore: readonly string[];
  counter: number;
}

/** Looks like the real ones, and is told in the order of making. */
export function nextId(state: MockState, kind: string): string {
  state.counter += 1;
  const tail = state.counter.toString(16).padStart(12, "0");
  const mark = (kind.charCodeAt(0) % 16).toString(16);
  return `019ab${mark}00-0000-7000-8000-${tail}`;
}
