import type { AuditBreak } from "@holdfast/core/alert/facts.ts";
import type { AlertKind, AlertState } from "@holdfast/core/alert/kind.ts";
import type { AlertEvent, Notification } from "@holdfast/core/alert/notification.ts";
import type { Permission } from "@holdfast/core/api/account.ts";
/**
 * The rows, as the database gives them: names as in the schema, timestamptz as Date, bigint as number. Held to the schema by a test that
 * compares each table's columns with these.
 */
import type { ApplyState, Effect, Phase, ServerIs } from "@holdfast/core/apply/state.ts";
import type { AuditStanding } from "@holdfast/core/audit/standing.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type {
  AlertId,
  ApplyId,
  ChangeId,
  Digest,
  DocumentId,
  Fence,
  Generation,
  InstanceId,
  PasskeyId,
  PlanId,
  RequestId,
  RolloutId,
  SecretId,
  ServerId,
  TokenId,
  UserId,
} from "@holdfast/core/base/id.ts";
import type { ProvenanceEntry } from "@holdfast/core/compose/effective-config.ts";
import type { Probe, ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import type { TunnelOutcome, TunnelPart, TunnelVerb } from "@holdfast/core/plan/tunnel-act.ts";

export interface UserRow {
  readonly id: UserId;
  readonly name: string;
  readonly password_hash: string | null;
  readonly must_change: boolean;
  readonly kind: "person" | "service";
  readonly totp_sealed: Buffer | null;
  readonly totp_since: Date | null;
  readonly totp_step: number;
  readonly disabled_at: Date | null;
  readonly created_at: Date;
}

export interface PasskeyRow {
  readonly id: PasskeyId;
  readonly user_id: UserId;
  readonly credential_id: Buffer;
  readonly public_key: Buffer;
  readonly sign_count: number;
  readonly backup_eligible: boolean;
  readonly backed_up: boolean;
  readonly transports: readonly string[];
  /** Its counter did not go on, and nobody has looked since. */
  readonly counter_back_at: Date | null;
  readonly name: string;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

export interface GrantRow {
  readonly user_id: UserId;
  readonly permission: Permission;
  readonly scope: Readonly<Record<string, string | boolean>>;
  readonly domains: readonly string[] | null;
}

export interface RoleRow {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly version: number;
}

export interface RoleGrantRow {
  readonly user_id: UserId;
  readonly role: string;
  readonly scope: GrantRow["scope"];
  readonly domains: readonly string[] | null;
}

export interface TokenRow {
  readonly id: TokenId;
  readonly user_id: UserId;
  readonly kind: "api" | "session";
  readonly name: string;
  readonly secret_sha256: Buffer;
  readonly permissions: readonly Permission[];
  readonly scope: GrantRow["scope"];
  readonly domains: readonly string[] | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
  /** Where it was opened or made from. */
  readonly source: string;
  /** What was shown by whoever opened it, or the session that it was made with. */
  readonly opened_with: "password" | "oidc";
  /** When whoever is signed in with it has last shown a second factor. */
  readonly fresh_at: Date | null;
}

/** A subject of a provider that is an account here. */
export interface IdentityRow {
  readonly id: string;
  readonly user_id: UserId;
  readonly issuer: string;
  readonly subject: string;
  readonly linked_at: Date;
}

export interface SecretRow {
  readonly id: SecretId;
  readonly name: string;
  readonly key_id: string;
  readonly data_key: Buffer;
  readonly created_at: Date;
}

export interface SecretVersionRow {
  readonly secret_id: SecretId;
  readonly version: number;
  readonly sealed: Buffer;
  readonly fingerprint: string;
  readonly bound_to: string;
  readonly made_by: UserId;
  readonly made_at: Date;
  /** Base64 of the DER; null: it is no private key. So are the other three. */
  readonly certificate: string | null;
  readonly authority: string | null;
  readonly private_id: string | null;
  readonly not_after: Date | null;
}

/** One row: which key-encryption key this house uses. */
export interface SecretHouseRow {
  readonly the_one: boolean;
  readonly key_id: string;
  readonly fingerprint_key: Buffer;
  readonly created_at: Date;
  readonly rekeyed_at: Date | null;
}

export interface IdempotencyKeyRow {
  readonly user_id: UserId;
  readonly key: string;
  readonly route: string;
  /** HMAC-SHA-256 of address and body, under a key that is not in the database. */
  readonly body_mac: Buffer;
  readonly status: number | null;
  readonly response: Json;
  readonly created_at: Date;
}

export type Enrolment = "expected" | "pending" | "enrolled" | "released";

export interface ServerRow {
  readonly id: ServerId;
  readonly name: string;
  readonly enrolment: Enrolment;
  readonly fence: Fence;
  readonly generation: Generation;
  readonly confirmed_digest: Digest | null;
  /** From an older version, which copied the config in force here; nobody reads it, and the next apply clears it. */
  readonly confirmed_config: Json;
  readonly last_applied_id: ApplyId | null;
  readonly boot_id: string | null;
  readonly agent_version: string | null;
  readonly facts: Json;
  readonly capabilities: Json;
  /** As its modules said at the last look; read by `lacksOf`. */
  readonly lacks: Json;
  readonly lacks_at: Date | null;
  readonly drift: readonly string[];
  /** As its agent said at the last look; read by `floorOf`. */
  readonly floor: Json;
  readonly floor_at: Date | null;
  readonly locked_code: string | null;
  readonly locked_reason: string | null;
  readonly paused_until: Date | null;
  readonly paused_reason: string | null;
  readonly session_instance: InstanceId | null;
  readonly session_id: string | null;
  readonly session_since: Date | null;
  readonly last_seen_at: Date | null;
  readonly created_at: Date;
  readonly released_at: Date | null;
  readonly version: number;
}

export interface EnrolmentTokenRow {
  readonly id: string;
  readonly server_id: ServerId;
  readonly secret_sha256: Buffer;
  readonly created_by: UserId | null;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly used_at: Date | null;
  readonly used_by_key: string | null;
}

export interface AgentKeyRow {
  readonly id: string;
  readonly server_id: ServerId;
  readonly tls_key_sha256: string;
  readonly tls_public_key: Buffer;
  readonly receipt_public_key: Buffer;
  readonly state: "pending" | "active" | "superseded" | "revoked";
  readonly approved_by: UserId | null;
  readonly certificate_serial: string | null;
  readonly not_after: Date | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

export type DocumentKind = "Policy" | "Server" | "Tunnel" | "Group" | "Floor";

export interface DocumentRow {
  readonly id: DocumentId;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly head_revision: number;
  readonly deleted: boolean;
  readonly version: number;
}

export interface RevisionRow {
  readonly document_id: DocumentId;
  readonly revision: number;
  readonly text: string | null;
  readonly digest: Digest;
  readonly author_id: UserId;
  readonly change_id: ChangeId;
  readonly comment: string;
  readonly created_at: Date;
}

export interface ChangeRow {
  readonly id: ChangeId;
  readonly title: string;
  readonly reason: string;
  readonly state: "DRAFT" | "READY" | "CANCELLED";
  readonly author_id: UserId;
  readonly created_at: Date;
  readonly ready_at: Date | null;
  readonly digest: Digest | null;
  readonly version: number;
}

export interface ChangeItemRow {
  readonly change_id: ChangeId;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly text: string | null;
  readonly base_revision: number;
  readonly revision: number | null;
}

export interface ApprovalRow {
  readonly change_id: ChangeId;
  readonly user_id: UserId;
  readonly digest: Digest;
  readonly approved_at: Date;
}

/** One document at one revision, as plans and applies name it. */
export interface RevisionRef {
  readonly document_id: DocumentId;
  readonly revision: number;
}

export interface AssignmentRow extends RevisionRef {
  readonly server_id: ServerId;
  readonly apply_id: ApplyId;
}

export interface QuarantineRow extends RevisionRef {
  readonly id: string;
  readonly server_id: ServerId;
  readonly apply_id: ApplyId;
  readonly code: string;
  readonly transient: boolean;
  readonly created_at: Date;
  readonly released_at: Date | null;
  readonly released_by: UserId | null;
}

export interface PlanRow {
  readonly id: PlanId;
  readonly change_id: ChangeId;
  readonly server_id: ServerId;
  readonly kind: "forward" | "rollback";
  readonly status: "planned" | "nothing_to_do" | "refused" | "unreachable";
  readonly config: string | null;
  readonly config_digest: Digest | null;
  readonly provenance: readonly ProvenanceEntry[];
  readonly revisions: readonly RevisionRef[];
  /** What was in force when it was made. */
  readonly before_revisions: readonly RevisionRef[];
  readonly plan_digest: Digest | null;
  readonly base_digest: Digest | null;
  readonly base_generation: Generation | null;
  /** As the agent planned them; what each does stays on the server. */
  readonly steps: readonly Omit<Step, "action">[];
  readonly native_diff: Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
  readonly probes: readonly Probe[];
  readonly touches_management_path: boolean;
  readonly created_at: Date;
  readonly created_by: UserId | null;
}

export type QuestionVerb =
  | "plan"
  | "state"
  | "release"
  | "audit_head"
  | "packets"
  | "tunnel_preview"
  | "tunnel"
  | "tools"
  | "tool"
  | "capture";

export interface QuestionRow {
  readonly id: string;
  readonly server_id: ServerId;
  readonly verb: QuestionVerb;
  readonly request: Buffer;
  readonly asked_by: InstanceId;
  readonly asked_at: Date;
  readonly taken_by: InstanceId | null;
  readonly answer: Buffer | null;
  readonly failure: string | null;
  readonly answered_at: Date | null;
}

export type TunnelActOutcome = Exclude<TunnelOutcome, "possible"> | "unknown";

export interface TunnelActRow {
  readonly id: RequestId;
  readonly server_id: ServerId;
  readonly tunnel: string;
  readonly act: TunnelVerb;
  readonly of: TunnelPart;
  readonly acknowledged: readonly string[];
  readonly fence: Fence;
  readonly requested_by: UserId;
  readonly requested_at: Date;
  readonly outcome: TunnelActOutcome | null;
  readonly code: string | null;
  readonly ended_at: Date | null;
}

export interface InstanceRow {
  readonly id: InstanceId;
  readonly address: string;
  readonly started_at: Date;
  readonly seen_at: Date;
  readonly disk_free_bytes: number | null;
  readonly disk_total_bytes: number | null;
  readonly away_seconds: number | null;
  readonly back_at: Date | null;
  readonly host: string | null;
  readonly audit_whole: boolean | null;
  readonly audit_broken_at: number | null;
  readonly audit_reason: AuditBreak | null;
}

export interface DeliveryRow {
  readonly id: string;
  readonly alert_id: AlertId;
  readonly event: AlertEvent;
  readonly channel: string;
  readonly payload: Notification;
  readonly state: "waiting" | "delivered" | "given_up";
  readonly tries: number;
  readonly next_try_at: Date;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

export interface AlertRow {
  readonly id: AlertId;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly server_id: ServerId | null;
  readonly apply_id: ApplyId | null;
  readonly state: AlertState;
  readonly message: string;
  readonly action: string | null;
  readonly opened_at: Date;
  readonly acknowledged_at: Date | null;
  readonly acknowledged_by: UserId | null;
  readonly acknowledgement: string | null;
  readonly resolved_at: Date | null;
}

export type RolloutState = "RUNNING" | "PAUSED" | "HALTED" | "DONE";

/** Why a rollout was begun before its approvals were given, and how many of them were. */
export interface BreakGlass {
  readonly reason: string;
  readonly needed: number;
  readonly given: number;
}

export interface RolloutRow {
  readonly id: RolloutId;
  readonly change_id: ChangeId;
  readonly kind: "forward" | "rollback";
  readonly state: RolloutState;
  readonly halt_code: string | null;
  readonly halt_message: string | null;
  readonly settings: Json;
  readonly current_wave: number;
  readonly wave_opens_at: Date | null;
  readonly requested_by: UserId;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly fence: Fence;
  readonly lease_owner: InstanceId | null;
  readonly lease_until: Date | null;
  readonly trace_id: string | null;
  /** The request's span, where this house traces. */
  readonly traceparent: string | null;
  readonly break_glass: BreakGlass | null;
  /** Counted when it was begun. */
  readonly approvals_needed: number;
  readonly version: number;
}

export interface RolloutTargetRow {
  readonly rollout_id: RolloutId;
  readonly server_id: ServerId;
  readonly wave: number;
  readonly position: number;
  readonly plan_id: PlanId;
  readonly apply_id: ApplyId | null;
}

export interface ApplyRow {
  readonly id: ApplyId;
  readonly change_id: ChangeId;
  readonly rollout_id: RolloutId;
  readonly server_id: ServerId;
  readonly plan_id: PlanId;
  readonly wave: number;
  readonly revisions: readonly RevisionRef[];
  readonly state: Exclude<ApplyState, "DRAFT">;
  readonly phase: Phase | null;
  readonly effect: Effect | null;
  readonly server_is: ServerIs;
  readonly code: string | null;
  readonly message: string | null;
  readonly requested_by: UserId;
  readonly requested_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly retry_of: ApplyId | null;
  readonly retry_count: number;
  readonly request_id: RequestId | null;
  readonly fence: Fence | null;
  readonly lease_owner: InstanceId | null;
  readonly lease_until: Date | null;
  readonly next_check_at: Date;
  readonly deadline_at: Date | null;
  readonly last_step: string | null;
  readonly wish: Wish | null;
  readonly wish_by: UserId | null;
  readonly wish_reason: string | null;
  readonly version: number;
}

export type Wish = "confirm" | "abort" | "force_close";

export interface HostTransactionRow {
  readonly request_id: RequestId;
  readonly apply_id: ApplyId;
  readonly server_id: ServerId;
  readonly kind: "forward" | "rollback";
  readonly plan_id: PlanId;
  readonly fence: Fence;
  readonly nonce: string;
  readonly config_digest: Digest;
  readonly plan_digest: Digest;
  readonly prepare_sent_at: Date | null;
  readonly execute_sent_at: Date | null;
  readonly confirm_sent_at: Date | null;
  readonly abort_sent_at: Date | null;
  readonly fresh_session_id: string | null;
  readonly fresh_since: Date | null;
  readonly trial: TransactionTrial;
  readonly before: BeforeRollback | null;
  readonly baseline: Readonly<Record<string, ProbeResult>> | null;
  readonly probe_results: Json;
  readonly outcome: Outcome | null;
  readonly outcome_code: string | null;
  readonly receipt: Json;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  /** Its own span, where this house traces. */
  readonly traceparent: string | null;
  /** The span of the request that it began with. */
  readonly traced_from: string | null;
}

export type Outcome = "finalized" | "reverted" | "revert_failed" | "refused";

export interface TransactionTrial {
  readonly windowMs: number;
  readonly soakMs: number;
  readonly budgetMs: number;
  readonly needsPerson: boolean;
}

export interface BeforeRollback {
  readonly state: "APPLIED" | "FAILED";
  readonly effect: Effect | null;
  readonly serverIs: ServerIs;
}

export interface ApplyEventRow {
  readonly id: number;
  readonly apply_id: ApplyId;
  readonly version: number;
  readonly request_id: RequestId | null;
  readonly at: Date;
  readonly from_state: ApplyState | null;
  readonly to_state: ApplyState;
  readonly phase: Phase | null;
  /** With FAILED; null where it was written before this was. */
  readonly effect: Effect | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly actor: string;
  readonly instance_id: InstanceId | null;
}

/** The view change_status. */
export interface ChangeStatusRow {
  readonly id: ChangeId;
  readonly title: string;
  readonly own_state: ChangeRow["state"];
  readonly author_id: UserId;
  readonly created_at: Date;
  readonly state: ApplyState;
}

/** The view server_status. */
export interface ServerStatusRow {
  readonly id: ServerId;
  readonly name: string;
  readonly enrolment: Enrolment;
  readonly generation: Generation;
  readonly locked_code: string | null;
  readonly locked_reason: string | null;
  readonly paused_until: Date | null;
  readonly connected: boolean;
  readonly last_seen_at: Date | null;
  readonly drift: readonly string[];
  readonly floor: Json;
  readonly floor_at: Date | null;
  readonly open_apply_id: ApplyId | null;
  readonly open_state: ApplyState | null;
  readonly open_phase: Phase | null;
  readonly open_deadline_at: Date | null;
  readonly last_success_apply_id: ApplyId | null;
  readonly last_success_at: Date | null;
  readonly last_success_change_id: ChangeId | null;
  readonly last_failure_apply_id: ApplyId | null;
  readonly last_failure_state: ApplyState | null;
  readonly last_failure_effect: Effect | null;
  readonly last_failure_server_is: ServerIs | null;
  readonly last_failure_code: string | null;
  readonly last_failure_message: string | null;
  readonly last_failure_at: Date | null;
}

/** The view server_policies. */
export interface ServerPolicyRow {
  readonly server_id: ServerId;
  readonly server_name: string;
  readonly kind: DocumentKind;
  readonly name: string;
  readonly revision: number;
  readonly digest: Digest;
  readonly apply_id: ApplyId;
}

export interface AuditCheckpointRow {
  readonly entries: number;
  readonly head: string;
  readonly at: Date;
  readonly signature: Buffer;
}

export interface AuditReceiptRow {
  readonly server_id: ServerId;
  readonly epoch: number;
  readonly entries: number;
  readonly body: string;
  readonly signature: Buffer;
  readonly received_at: Date;
}

export interface AuditStandingRow {
  readonly server_id: ServerId;
  readonly standing: AuditStanding;
  readonly epoch: number | null;
  readonly entries: number | null;
  readonly head: string | null;
  readonly head_at: string | null;
  readonly code: string | null;
  readonly asked_at: Date;
}

export interface AuditEpochRow {
  readonly epoch: number;
  readonly entries: number;
  readonly head: string;
  readonly at: Date;
  readonly begun_by: string;
  readonly reason: string;
  readonly signature: Buffer;
}
