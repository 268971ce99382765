import { holds } from "@holdfast/core/access/grant.ts";
/** `holdfast doctor`: what the mission asks of a control plane, each with what was found on this installation just now, never from memory. */
import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { doctorRowSchema } from "@holdfast/core/api/account.ts";
import { TRANSITIONS } from "@holdfast/core/apply/state.ts";
import { ACCUSES } from "@holdfast/core/audit/standing.ts";
import { LOG_FIELDS, type LogField, logFields } from "@holdfast/core/log/fields.ts";
import type { z } from "zod";
import type { AskServers } from "../audit/ask-servers.ts";
import type { AuditWitness } from "../audit/witness.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import type { Database } from "../store/database.ts";
import { anApply, attempt, type Attempt, AUDIT_ATTEMPTS } from "./store/attempt.ts";
import {
  accounts,
  agents,
  askViews,
  enabledTriggers,
  endings,
  fences,
  idempotence,
  receipts,
  serverVersion,
  settings,
  transitions,
  uniqueIndexes,
  waiting,
} from "./store/evidence.ts";

export type DoctorRow = z.infer<typeof doctorRowSchema>;

export interface Doctor {
  examine(): Promise<readonly DoctorRow[]>;
}

export interface DoctorOptions {
  readonly database: Database;
  readonly witness: AuditWitness;
  readonly askServers: AskServers;
  readonly commands: CommandSigner;
  readonly publicUrl: URL;
}

type Finding = Pick<DoctorRow, "holds" | "evidence">;

interface Question {
  readonly id: string;
  readonly asks: string;
  readonly remedy: string;
  readonly look: (options: DoctorOptions) => Promise<Finding>;
}

export function doctor(options: DoctorOptions): Doctor {
  return {
    async examine() {
      const rows: DoctorRow[] = [];
      for (const { id, asks, remedy, look } of QUESTIONS) {
        try {
          rows.push({ id, asks, remedy, ...(await look(options)) });
        } catch (error) {
          rows.push({
            id,
            asks,
            remedy,
            holds: false,
            evidence: `could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
          });
        }
      }
      return rows;
    },
  };
}

const UNIQUE = [
  "host_transactions_pkey",
  "idempotency_keys_pkey",
  "one_forward_transaction",
  "one_open_apply",
] as const;
const TRIGGERS = [
  "applies.apply_transition",
  "applies.moved_apply_has_event",
  "applies.new_apply",
  "applies.new_apply_has_event",
  "host_transactions.host_transaction",
  "servers.server_fence",
] as const;
const APPEND_ONLY = [
  "apply_events.apply_events_append_only",
  "audit_log.audit_log_append_only",
  "audit_log.audit_log_no_truncate",
  "revisions.revisions_append_only",
] as const;
/** What a commit that was answered needs to survive a power cut. */
const DURABLE = { fsync: "on", full_page_writes: "on", synchronous_commit: "on", data_checksums: "on" } as const;

const QUESTIONS: readonly Question[] = [
  {
    id: "states",
    asks: "The state of every apply is stored, and only the steps of the table happen",
    remedy:
      "The database has been changed outside of Holdfast: restore it, or run the migrations of this version again.",
    async look({ database }) {
      const [stored, triggers, tried] = [
        await transitions(database),
        await enabledTriggers(database, TRIGGERS),
        await tryApplies(database),
      ];
      const law = Object.entries(TRANSITIONS).flatMap(([from, steps]) => steps.map(({ to }) => `${from} to ${to}`));
      const same = law.length === stored.length && law.every((step) => stored.includes(step));
      const illegal = tried.filter(({ name }) => name.includes("APPLIED"));
      return {
        holds: same && triggers.length === TRIGGERS.length && allRefused(illegal),
        evidence: `${stored.length} of ${law.length} steps in the database; triggers ${triggers.join(", ")}; tried just now: ${inWords(illegal)}`,
      };
    },
  },
  {
    id: "one-at-a-time",
    asks: "No server ever has two applies under way",
    remedy: "The unique index is missing: restore the database, or run the migrations of this version again.",
    async look({ database }) {
      const tried = (await tryApplies(database)).filter(({ name }) => name.includes("second"));
      const index = await uniqueIndexes(database, ["one_open_apply"]);
      return {
        holds: index.length === 1 && allRefused(tried),
        evidence: `index ${index.join() || "missing"}; tried just now: ${inWords(tried)}`,
      };
    },
  },
  {
    id: "idempotency",
    asks: "Nothing is done twice: one request id is one transaction for ever",
    remedy: "A unique index is missing: restore the database, or run the migrations of this version again.",
    async look({ database }) {
      const found = await uniqueIndexes(database, UNIQUE);
      const { transactions, keys } = await idempotence(database);
      return {
        holds: found.length === UNIQUE.length,
        evidence: `unique: ${found.join(", ")}; ${transactions} host transactions and ${keys} idempotency keys are recorded`,
      };
    },
  },
  {
    id: "state-query",
    asks: "The database alone answers what a server is, what is in force, when it last went well and why it last failed",
    remedy: "A view is missing: run the migrations of this version again.",
    async look({ database }) {
      const state = await askViews(database);
      return {
        holds: true,
        evidence: `server_status: ${state.servers} servers, ${state.with_success} with a last success, ${state.with_failure} with a last failure; server_policies: ${state.in_force} revisions in force; change_status: ${state.changes} changes`,
      };
    },
  },
  {
    id: "rollback-triggers",
    asks: "Whatever was changed and does not hold is undone, and says why",
    remedy: "An apply ended in a way that the protocol does not have: keep the database and report it.",
    async look({ database }) {
      const { undone, causes, skipped } = await endings(database);
      return {
        holds: skipped === 0,
        evidence: `${undone} applies were undone${causes.length === 0 ? "" : `, because of ${causes.join(", ")}`}; ${skipped} ended FAILED with something left behind and without an undo`,
      };
    },
  },
  {
    id: "receipts",
    asks: "An outcome is what the server signed, never what somebody inferred",
    remedy: "Look at the applies whose transactions have no receipt: GET /api/v1/applies.",
    async look({ database }) {
      const { ended, signed } = await receipts(database);
      return {
        holds: ended === signed,
        evidence: `${signed} of ${ended} outcomes carry the receipt of the server's guard`,
      };
    },
  },
  {
    id: "fences",
    asks: "An instance that was asleep changes nothing: fences only rise",
    remedy: "The database was changed by hand, or restored from a backup: see docs/runbooks for a fence that is ahead.",
    async look({ database }) {
      const tried = (await tryApplies(database)).filter(({ name }) => name.includes("fence"));
      const { servers, ahead, open } = await fences(database);
      return {
        holds: ahead === 0 && allRefused(tried),
        evidence: `${servers} servers, ${open} open applies, ${ahead} with a fence ahead of their server's; tried just now: ${inWords(tried)}`,
      };
    },
  },
  {
    id: "log-fields",
    asks: "Every log line names things in the same words",
    remedy: "This build of Holdfast is damaged: install it again.",
    async look() {
      const context = Object.fromEntries(Object.keys(LOG_FIELDS).map((field) => [field, "x"])) as Record<
        LogField,
        string
      >;
      const written = Object.keys(logFields(context));
      return {
        holds: ["request_id", "policy_id", "target_host", "domain", "result_code"].every((name) =>
          written.includes(name),
        ),
        evidence: written.join(", "),
      };
    },
  },
  {
    id: "permissions",
    asks: "view, edit, apply, approve, audit and admin never imply one another",
    remedy: "Give each account what it needs and no more: holdfast user list.",
    async look({ database }) {
      const implied = PERMISSIONS.flatMap((held) =>
        PERMISSIONS.filter((asked) => asked !== held && gives(held, asked)).map((asked) => `${held} gives ${asked}`),
      );
      const { open, administrators, administrators_without_apply } = await accounts(database);
      return {
        holds: implied.length === 0 && administrators > 0,
        evidence: `${PERMISSIONS.length} by ${PERMISSIONS.length} pairs asked of the gate's own rule, ${implied.length} imply another${implied.length === 0 ? "" : ` (${implied.join(", ")})`}; ${open} accounts, ${administrators} administrators, of whom ${administrators_without_apply} cannot apply`,
      };
    },
  },
  {
    id: "audit-append-only",
    asks: "The audit log cannot be changed or deleted by this program",
    remedy: "Give the application a database role of its own: see docs/database.md.",
    async look({ database }) {
      const tried = await attempt(database, [], AUDIT_ATTEMPTS);
      const triggers = await enabledTriggers(database, APPEND_ONLY);
      return {
        holds: allRefused(tried) && triggers.length === APPEND_ONLY.length,
        evidence: `tried just now as the application's role: ${inWords(tried)}; triggers ${triggers.join(", ")}`,
      };
    },
  },
  {
    id: "audit-chain",
    asks: "Nobody has changed the audit log behind our back",
    remedy: "Compare with the head that was kept elsewhere; the entry that is named was changed outside of Holdfast.",
    async look({ witness }) {
      const verdict = await witness.verify();
      return verdict.intact
        ? {
            holds: true,
            evidence: `${verdict.entries} entries, every hash in its place, head ${verdict.head.slice(0, 16)}; ${verdict.anchors} signed heads found in it`,
          }
        : { holds: false, evidence: `broken at entry ${verdict.brokenAt} (${verdict.reason})` };
    },
  },
  {
    id: "audit-heads",
    asks: "Servers keep the log's newest head, and none knows more than this database",
    remedy:
      "See holdfast audit verify and the runbook audit-heads; a backup that was restored on purpose is accepted by holdfast audit accept.",
    async look({ askServers }) {
      const { epoch, servers } = await askServers();
      const accusing = servers.filter(({ standing }) => ACCUSES[standing] === "log");
      const keeping = servers.filter(({ head }) => head !== null);
      return {
        holds: accusing.length === 0,
        evidence:
          accusing.length === 0
            ? `${keeping.length} of ${servers.length} servers keep a head, epoch ${epoch}, asked just now; each is found in the log`
            : `${accusing.map(({ name, standing, head }) => `${name} is ${standing} (entry ${head?.entries ?? 0})`).join(", ")}, of ${servers.length} servers in epoch ${epoch}`,
      };
    },
  },
  {
    id: "signer",
    asks: "Commands are signed by another process than this one, and it signs now",
    remedy: "Start it and see its log; a user of its own keeps the key from this process: see docs/operating.md.",
    async look({ commands }) {
      const [trouble, uid] = [await commands.trouble(), await commands.uid()];
      const whose =
        uid === null
          ? "nobody answers"
          : uid === process.getuid?.()
            ? `it runs as this process's own user (${uid}), who may read its key`
            : `it runs as user ${uid}, this process as ${process.getuid?.() ?? "nobody"}`;
      return {
        holds: trouble === null,
        evidence: `key ${commands.keyId}; ${whose}${trouble === null ? "" : `; ${trouble}`}`,
      };
    },
  },
  {
    id: "durability",
    asks: "What was answered survives a power cut",
    remedy: "Switch it on in the server's configuration; data checksums are made with initdb --data-checksums.",
    async look({ database }) {
      const found = await settings(database, Object.keys(DURABLE));
      const holdsAll = Object.entries(DURABLE).every(([name, value]) => found[name] === value);
      return {
        holds: holdsAll,
        evidence: `PostgreSQL ${await serverVersion(database)}: ${Object.entries(found)
          .map(([name, value]) => `${name} ${value}`)
          .join(", ")}`,
      };
    },
  },
  {
    id: "nothing-forgotten",
    asks: "No apply is stuck, and none is left in doubt",
    remedy: "See the apply's story; the server is asked again by itself as soon as it is there.",
    async look({ database }) {
      const { in_doubt, overdue } = await waiting(database);
      return {
        holds: in_doubt.length === 0 && overdue.length === 0,
        evidence: `in doubt: ${in_doubt.join(", ") || "none"}; beyond their deadline: ${overdue.join(", ") || "none"}`,
      };
    },
  },
  {
    id: "agents",
    asks: "Every enrolled server is connected, and no certificate is about to end",
    remedy: "On the server: holdfast-agent status. A certificate renews itself while the agent is connected.",
    async look({ database }) {
      const { enrolled, connected, away, expiring } = await agents(database);
      return {
        holds: away.length === 0 && expiring.length === 0,
        evidence: `${connected} of ${enrolled} connected${away.length === 0 ? "" : `, away: ${away.join(", ")}`}; certificates that end within a day: ${expiring.join(", ") || "none"}`,
      };
    },
  },
  {
    id: "sessions-in-clear",
    asks: "Passwords and sessions do not travel in clear",
    remedy: "Put a TLS proxy before it and set HOLDFAST_PUBLIC_URL to its https address.",
    async look({ publicUrl }) {
      const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(publicUrl.hostname);
      return {
        holds: publicUrl.protocol === "https:" || isLocal,
        evidence: `the console is at ${publicUrl.origin}${isLocal ? ", which does not leave this machine" : ""}`,
      };
    },
  },
];

function gives(held: Permission, asked: Permission): boolean {
  return holds([{ permission: held, scope: { all: true }, domains: null }], asked);
}

function tryApplies(database: Database): Promise<readonly Attempt[]> {
  const { prepare, forbidden } = anApply();
  return attempt(database, prepare, forbidden);
}

function allRefused(tried: readonly Attempt[]): boolean {
  return tried.length > 0 && tried.every(({ refusal }) => refusal !== null);
}

function inWords(tried: readonly Attempt[]): string {
  return tried
    .map(({ name, refusal }) => `${name}: ${refusal === null ? "WENT THROUGH" : `refused (${refusal})`}`)
    .join("; ");
}
