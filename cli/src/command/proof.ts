import { auditEntrySchema, auditVerifySchema, doctorRowSchema } from "@holdfast/core/api/account.ts";
import { buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { EXIT } from "../exit-code.ts";
import { verb } from "../verb.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";

const auditList = verb({
  brief: "Who did what, newest first; refusals too",
  example: "audit list",
  run: async (client) => {
    const { items: value } = await client.call("listAudit", { answer: z.object({ items: z.array(auditEntrySchema) }) });
    return {
      value,
      text: () =>
        table(
          ["id", "at", "who", "from", "action", "object", "result", "request"],
          value.map((entry) => [
            String(entry.id),
            entry.at,
            plain(entry.actor),
            entry.source,
            entry.action,
            plain(entry.object),
            entry.resultCode,
            entry.requestId ?? "",
          ]),
          "The audit log is empty.",
        ),
    };
  },
});

const auditVerify = verb({
  brief: "Walk the audit log's hash chain and name the first broken entry",
  example: "audit verify",
  run: async (client, _, context) => {
    const value = await client.call("verifyAudit", { answer: auditVerifySchema });
    if (!value.intact) context.process.exitCode = EXIT.refused;
    return {
      value,
      text: () =>
        value.intact
          ? `Intact: ${value.entries} entries, head ${value.head}\n`
          : `BROKEN at entry ${value.firstBroken ?? "?"}: somebody changed the log outside Holdfast.\n`,
    };
  },
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
  routes: { list: auditList, verify: auditVerify },
  docs: { brief: "The audit log: list and verify" },
});
