import { auditEntrySchema, auditVerifySchema, doctorRowSchema, epochBegunSchema } from "@holdfast/core/api/account.ts";
import { AUDIT_STANDINGS, type AuditStanding } from "@holdfast/core/audit/standing.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readNewest } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { wholeNumber } from "../whole-number.ts";
import { writeOut } from "../write-out.ts";
import { writeWhole } from "../write-whole.ts";

interface FilterFlags {
  readonly actor?: string;
  readonly server?: string;
  readonly action?: string;
  readonly object?: string;
  readonly result?: string;
  readonly request?: string;
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
}

const said = (brief: string) => ({ kind: "parsed", parse: String, brief, optional: true }) as const;
const FILTER = {
  actor: said("Who: an account's name, or agent/ID, system/PART"),
  server: said("What concerns this server"),
  action: said("What, by its beginning: apply. is everything about applies"),
  object: said("On what: change/ID, user/ID …"),
  result: said("ok, a code, or refused for whatever is not ok"),
  request: said("Everything of one request id"),
  text: said("Anywhere in who, from where, what, object or result"),
  since: said("Not before, as 2026-01-31T00:00:00Z"),
  until: said("Before, as 2026-02-01T00:00:00Z"),
} as const;

function queryOf({ request, ...flags }: FilterFlags): Record<string, string | undefined> {
  return { ...flags, requestId: request };
}

const auditList = buildCommand<FilterFlags & { readonly json: boolean; readonly limit: number }, [], Context>({
  docs: {
    brief: "Who did what, newest first; refusals too",
    fullDescription:
      "All conditions hold together.\n\nExample: holdfast audit list --actor kim --result refused --server web-1",
  },
  parameters: {
    flags: {
      ...FILTER,
      limit: { kind: "parsed", parse: wholeNumber(1, 200), brief: "At most so many", default: "50" },
      json: { kind: "boolean", brief: "For machines: the answer as one JSON document", default: false },
    },
  },
  async func({ json, limit, ...filter }) {
    const query = { ...queryOf(filter), limit };
    const value = await readNewest(this, openClient(this), "listAudit", auditEntrySchema, { query });
    const shown = table(
      this,
      ["id", "at", "who", "from", "action", "object", "result", "request"],
      value.map((entry) => [
        String(entry.id),
        entry.at,
        plain(entry.actor),
        plain(entry.source),
        entry.action,
        plain(entry.object),
        entry.resultCode,
        entry.requestId ?? "",
      ]),
      "No entry of the audit log is so.",
    );
    this.process.stdout.write(json ? `${JSON.stringify(value)}\n` : shown);
  },
});

interface ExportFlags extends FilterFlags {
  readonly format: "jsonl" | "csv";
  readonly out?: string;
}

const auditExport = buildCommand<ExportFlags, [], Context>({
  docs: {
    brief: "The audit log as JSON Lines or CSV, into a file or on standard output",
    fullDescription:
      "Newest first, everything that the conditions leave. A file of --out is there when it is whole; one that a shell writes with > may be a part, and the exit code says so.\n\n" +
      "Example: holdfast audit export --format csv --since 2026-01-01T00:00:00Z --out audit.csv",
  },
  parameters: {
    flags: {
      ...FILTER,
      format: { kind: "enum", values: ["jsonl", "csv"], brief: "How", default: "jsonl" },
      out: said("The file, readable by you only; it must not be there yet"),
    },
  },
  async func({ format, out, ...filter }) {
    const query = { ...queryOf(filter), format };
    const client = openClient(this);
    if (out === undefined) await client.download("exportAudit", query, (part) => writeOut(this, part));
    else {
      await writeWhole(out, (write) => client.download("exportAudit", query, write));
      this.process.stdout.write(`${out} is whole.\n`);
    }
  },
});

const REASON = {
  position: "an entry is missing or out of its place",
  previous: "an entry does not follow the one before it",
  content: "an entry was edited",
  cut_off: "the end was cut off, or an older backup was put back: a head that was kept lies beyond it",
  rewritten: "entries were written anew: a head that was kept is not in it",
  forged_checkpoint: "a signed head was put there by somebody else",
} as const;

const auditVerify = buildCommand<{ readonly json: boolean; readonly kept?: string }, [], Context>({
  docs: {
    brief: "Walk the audit log's hash chain, hold it against every head that was kept, and name the first broken entry",
    fullDescription:
      "Every server is asked which head it keeps: what was cut off together with the heads beside the log is found there, and the servers are named.\n" +
      "--kept ENTRIES:HEAD is one that you kept yourself: the log stream carries them as audit_entries and audit_head, and holdfast-agent status shows a server's.\n\n" +
      "Example: holdfast audit verify",
  },
  parameters: {
    flags: {
      kept: said("A head that you kept, as ENTRIES:HEAD"),
      json: { kind: "boolean", brief: "For machines: the answer as one JSON document", default: false },
    },
  },
  async func({ json, kept }) {
    const value = await openClient(this).call("verifyAudit", { query: { kept }, answer: auditVerifySchema });
    if (!value.intact) this.process.exitCode = EXIT.refused;
    const { onServers, nextEpoch } = value;
    const anchors = `${value.anchors} kept head${value.anchors === 1 ? "" : "s"} found in it`;
    const text = value.intact
      ? `Intact: ${value.entries} entries, head ${value.head}, ${anchors}\n`
      : `BROKEN at entry ${value.firstBroken ?? "?"}: ${value.reason === null ? "changed" : REASON[value.reason]}. Somebody changed the log outside Holdfast.\n`;
    const servers = [...serversInWords(onServers), ...wayOut(nextEpoch)].map((line) => `${line}\n`).join("");
    this.process.stdout.write(json ? `${JSON.stringify(value)}\n` : text + servers);
  },
});

type OnServers = z.output<typeof auditVerifySchema>["onServers"];

const STANDING = {
  holds: "with a head that is in it",
  none: "with no head yet",
  ahead: "KNOWING MORE OF IT: it was cut off, or an older one was put back",
  forked: "KNOWING ANOTHER ONE: it was written anew, or an older one was put back and went on",
  unproven: "with a head that this house has not signed, or that their own key does not stand behind",
  refuses: "that take no heads",
  unsupported: "with an agent from before heads were kept: upgrade it",
} as const satisfies Record<AuditStanding, string>;

/** Nothing of a house that has no servers yet. */
function serversInWords({ counts, unasked, notable }: OnServers): readonly string[] {
  const lines = AUDIT_STANDINGS.flatMap((standing) => {
    const count = counts[standing];
    if (count === 0) return [];
    const named = notable.filter((one) => one.standing === standing);
    return [
      `${count} server${count === 1 ? "" : "s"} ${STANDING[standing]}`,
      ...named.map(
        (one) =>
          `  ${one.server ?? "one that you may not see"}${one.entries === null ? "" : `: ${one.entries} entries, epoch ${one.epoch ?? "?"}, at ${plain(one.at ?? "")}, head ${one.head ?? ""}`}${FROM[one.from]}`,
      ),
    ];
  });
  const asked = unasked === 0 ? [] : [`${unasked} of them could not be asked now; what they last signed is counted`];
  return [...lines, ...asked];
}

const FROM = {
  server: "",
  receipt: " (by its last receipt)",
  nobody: " (could not be asked, and has signed none)",
} as const satisfies Record<OnServers["notable"][number]["from"], string>;

function wayOut(nextEpoch: number | null): readonly string[] {
  if (nextEpoch === null) return [];
  return [
    "Treat it as an intrusion until you know better: docs/runbooks/audit-heads.md",
    `Only if a backup was put back on purpose: holdfast audit accept ${nextEpoch} 'REASON'`,
  ];
}

const auditAccept = act({
  brief: "Accept the log as it is after a backup was put back: servers take its heads again; audited, alarmed",
  example: "audit accept 2 'the disk died, backup of Monday put back'",
  operands: ["epoch", "reason"],
  send: (client, [epoch = "", reason = ""]) =>
    client.call("beginAuditEpoch", { body: { epoch: Number(epoch), reason }, answer: epochBegunSchema }),
  done: ([epoch]) =>
    `Epoch ${epoch} is begun. Each server keeps the last head of the log that was; an alert stands for a week.`,
});

export const doctorCommand = verb({
  brief: "What the mission asks, row by row, with the evidence found on this installation",
  example: "doctor",
  run: async (client, _, context) => {
    const { rows: value } = await client.call("doctor", { answer: z.object({ rows: z.array(doctorRowSchema) }) });
    if (value.some((row) => !row.holds)) context.process.exitCode = EXIT.refused;
    return {
      value,
      text: (shown) => {
        const paint = painter(shown);
        return value
          .map(
            (row) =>
              `${row.holds ? paint("green", "holds ") : paint("red", "BROKEN")}  ${row.asks}\n        ${paint("gray", plain(row.evidence))}${row.holds ? "" : `\n        ${row.remedy}`}\n`,
          )
          .join("");
      },
    };
  },
});

export const auditRoutes = buildRouteMap({
  routes: { list: auditList, export: auditExport, verify: auditVerify, accept: auditAccept },
  docs: { brief: "The audit log: list, export and verify" },
});
