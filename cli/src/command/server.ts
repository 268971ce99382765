import type { CertificateStanding } from "@holdfast/core/access/certificate-standing.ts";
import { applySummarySchema } from "@holdfast/core/api/apply.ts";
import { certificateSchema } from "@holdfast/core/api/certificate.ts";
import {
  effectiveConfigSchema,
  enrolmentSchema,
  liveStateSchema,
  serverDetailSchema,
  type ServerSummary,
  serverSummarySchema,
} from "@holdfast/core/api/server.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { lostIn } from "@holdfast/core/floor/standing.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { readLabels } from "../labels.ts";
import { readAll, readNewest } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { printForeign } from "../view/foreign.ts";
import { printLive } from "../view/live.ts";
import { outcome } from "../view/state.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";
import { releaseCommand } from "./release.ts";

const nothing = z.unknown();

const list = verb({
  brief: "Servers with their state, last success and last failure",
  example: "server list",
  run: async (client) => {
    const value = await readAll(client, "listServers", serverSummarySchema);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["name", "labels", "agent", "state", "generation", "last applied", "last failure"],
          value.map((server) => [
            server.name,
            Object.entries(server.labels)
              .map(([key, label]) => `${key}=${label}`)
              .join(" "),
            agentWord(context, server),
            stateOf(context, server),
            String(server.generation),
            server.lastSuccess === null
              ? "never"
              : `${relative(server.lastSuccess.finishedAt, context.now())}: ${plain(server.lastSuccess.changeTitle)}`,
            server.lastFailure === null
              ? "none"
              : `${relative(server.lastFailure.finishedAt, context.now())}: ${server.lastFailure.code ?? server.lastFailure.state}`,
          ]),
          "No servers yet. Enroll the first with: holdfast server enroll NAME",
        ),
    };
  },
});

const CERTIFICATE_WORDS = {
  in_two_places: "its key was used in two places: enroll it again (holdfast server enroll NAME)",
  ended: "has ended, the server is shut out: enroll it again (holdfast server enroll NAME)",
  late: "was not renewed at half its life: look at the agent's log there",
  waits: "its key waits: compare, then holdfast server approve NAME FINGERPRINT",
  valid: "valid",
  none: "none yet: run the enrolment command there",
  revoked: "revoked, with the release of the server",
} as const satisfies Record<CertificateStanding, string>;

const certificates = verb({
  brief: "By what each server's agent is known, until when, and what to do",
  example: "server certificates",
  run: async (client) => {
    const value = await readAll(client, "listCertificates", certificateSchema);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["server", "certificate", "ends", "before it", "agent"],
          value.map(({ server, standing, notAfter, earlier, connected }) => [
            server,
            CERTIFICATE_WORDS[standing],
            notAfter === null ? "" : relative(notAfter, context.now()),
            String(earlier),
            connected ? "connected" : "away",
          ]),
          "No servers yet. Enroll the first with: holdfast server enroll NAME",
        ),
    };
  },
});

const show = verb({
  brief: "One server: what is in force, what is open, what it can do",
  example: "server show web-1",
  operands: ["server"],
  run: async (client, [name = ""]) => {
    const value = await client.call("getServer", { params: { name }, answer: serverDetailSchema });
    return {
      value,
      text: (context) =>
        [
          `${painter(context)("bold", value.name)}  ${stateOf(context, value)}  ${agentWord(context, value)}`,
          `  generation ${value.generation}, agent ${value.agentVersion ?? "never seen"}, last seen ${relative(value.lastSeenAt, context.now())}`,
          `  in force: ${value.policies.map((policy) => `${policy.kind}/${policy.name} r${policy.revision}`).join(", ") || "nothing"}`,
          ...(value.lastSuccess === null
            ? []
            : [
                `  last applied ${relative(value.lastSuccess.finishedAt, context.now())}: ${value.lastSuccess.changeTitle}`,
              ]),
          ...(value.lastFailure === null
            ? []
            : [
                `  last failure ${relative(value.lastFailure.finishedAt, context.now())}: ${outcome(context, value.lastFailure.state, value.lastFailure.serverIs, value.lastFailure.effect)}: ${value.lastFailure.message ?? ""}`,
              ]),
          ...value.quarantined.map(
            (item) => `  quarantined: ${item.kind}/${item.name} r${item.revision} (${item.code})`,
          ),
          ...value.capabilities.flatMap((item) => [
            `  ${item.domain}: ${item.available ? "available" : `not available: ${item.reason}`}`,
            ...(item.lacks ?? []).map(
              ({ feature, reason, remedy }) =>
                `    ${feature === "" ? "lacks" : `lacks ${feature}`}: ${reason} ${remedy}`,
            ),
          ]),
          ...(value.lacksAt === null ? [] : [`  asked what it lacks ${relative(value.lacksAt, context.now())}`]),
          ...(value.pendingKey === null
            ? []
            : [
                `  a key waits for approval: ${value.pendingKey.fingerprint}  (holdfast server approve ${value.name} FINGERPRINT)`,
              ]),
          "",
        ].join("\n"),
    };
  },
});

const state = verb({
  brief:
    "Ask the server itself, now: live beside confirmed, what differs, restarts that are asked for, interfaces and neighbours",
  example: "server state web-1",
  operands: ["server"],
  run: async (client, [name = ""]) => {
    const value = await client.call("getServerLive", { params: { name }, answer: liveStateSchema });
    return { value, text: (context) => printLive(context, value) };
  },
});

const foreign = verb({
  brief: "What others have set on the server, as it stands there: tables, files of networkd, sshd and strongSwan",
  example: "server foreign web-1",
  operands: ["server"],
  run: async (client, [name = ""]) => {
    const value = await client.call("getServerLive", { params: { name }, answer: liveStateSchema });
    return {
      value: value.domains.map((one) => ({ domain: one.domain, foreign: one.foreign })),
      text: (context) => printForeign(context, value),
    };
  },
});

const config = verb({
  brief: "The effective config, and where each item comes from",
  example: "server config web-1",
  operands: ["server"],
  run: async (client, [name = ""]) => {
    const value = await client.call("getServerConfig", { params: { name }, answer: effectiveConfigSchema });
    return {
      value,
      text: (context) =>
        [
          ...Object.entries(value.native).map(
            ([domain, text]) => `${painter(context)("gray", `# ${domain}`)}\n${text}`,
          ),
          table(
            context,
            ["item", "from", "beat"],
            value.provenance.map((entry) => [
              entry.item,
              `${entry.from.document} r${entry.from.revision}${entry.from.line === undefined ? "" : `:${entry.from.line}`}`,
              entry.beat.map((loser) => `${loser.value} (${loser.document})`).join(", "),
            ]),
            "Nothing applies to this server.",
          ),
        ].join("\n"),
    };
  },
});

const history = verb({
  brief: "The server's applies, newest first",
  example: "server history web-1",
  operands: ["server"],
  run: async (client, [name = ""], context) => {
    const value = await readNewest(context, client, "listServerApplies", applySummarySchema, { params: { name } });
    return {
      value,
      text: () =>
        table(
          context,
          ["when", "change", "outcome", "why", "apply"],
          value.map((apply) => [
            relative(apply.finishedAt ?? apply.requestedAt, context.now()),
            plain(apply.changeTitle),
            outcome(context, apply.state, apply.serverIs, apply.effect),
            apply.code ?? "",
            apply.id,
          ]),
          "Nothing was ever applied here.",
        ),
    };
  },
});

interface EnrollFlags {
  readonly label?: readonly string[];
  readonly json: boolean;
}

const enroll = buildCommand<EnrollFlags, [string], Context>({
  docs: {
    brief: "Expect a server and print the one command to run on it",
    fullDescription:
      "The token is for this server only, is used once, and lives one hour.\n\nExample: holdfast server enroll web-2 --label role=web",
  },
  parameters: {
    flags: {
      label: { kind: "parsed", parse: String, brief: "key=value (may be repeated)", optional: true, variadic: true },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the server", parse: String, placeholder: "server" }] },
  },
  async func(flags, name) {
    const client = openClient(this);
    const labels = readLabels("--label", flags.label ?? []);
    const known = await readAll(client, "listServers", serverSummarySchema, { query: { name } });
    const before = known.find((server) => server.name === name);
    if (before === undefined) await client.call("createServer", { body: { name, labels }, answer: nothing });
    else if (flags.label !== undefined && canonicalJson(labels) !== canonicalJson(before.labels))
      throw usageError(
        `${name} is there already, with other labels, and enrolling it again does not change them.`,
        "Enroll it without --label; labels are changed in its Server document.",
      );
    const value = await client.call("enrolServer", { params: { name }, body: {}, answer: enrolmentSchema });
    this.process.stdout.write(
      flags.json
        ? `${JSON.stringify(value)}\n`
        : `Run this on ${name} as root, once, before ${value.expiresAt}:\n\n  ${value.command}\n\nThen compare the fingerprint and approve it: holdfast server approve ${name} FINGERPRINT\n`,
    );
  },
});

interface PauseFlags {
  readonly for: number;
  readonly reason: string;
}

const pause = buildCommand<PauseFlags, [string], Context>({
  docs: {
    brief: "Take no applies for a time",
    fullDescription:
      "What is on trial goes on; nothing new starts.\n\nExample: holdfast server pause web-1 --for 2h --reason 'disk change'",
  },
  parameters: {
    flags: {
      for: { kind: "parsed", parse: parseSeconds, brief: "How long: 30m, 2h, 1d" },
      reason: { kind: "parsed", parse: String, brief: "Why, for those who wonder" },
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the server", parse: String, placeholder: "server" }] },
  },
  async func(flags, name) {
    await openClient(this).call("pauseServer", {
      params: { name },
      body: { seconds: flags.for, reason: flags.reason },
      answer: nothing,
    });
    this.process.stdout.write(`${name} takes no applies for ${flags.for} s.\n`);
  },
});

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function parseSeconds(text: string): number {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  const unit = UNIT_SECONDS[match?.[2] ?? ""];
  if (match === null || unit === undefined)
    throw new SyntaxError(`"${text}" is no duration: write a number with s, m, h or d, such as 2h`);
  return Number(match[1]) * unit;
}

const resume = act({
  brief: "End a pause",
  example: "server resume web-1",
  operands: ["server"],
  send: (client, [name = ""]) => client.call("resumeServer", { params: { name }, body: {}, answer: nothing }),
  done: ([name]) => `${name} takes applies again.`,
});

const unlock = act({
  brief: "Release a lock after somebody has looked",
  example: "server unlock web-1 'restored by hand, checked'",
  operands: ["server", "reason"],
  send: (client, [name = "", reason]) =>
    client.call("unlockServer", { params: { name }, body: { reason }, answer: nothing }),
  done: ([name]) => `${name} is unlocked.`,
});

const approve = act({
  brief: "Approve the key of a server after comparing its fingerprint",
  example: "server approve web-2 3f9c-12ab-…",
  operands: ["server", "fingerprint"],
  send: (client, [name = "", fingerprint]) =>
    client.call("approveServerKey", { params: { name }, body: { fingerprint }, answer: nothing }),
  done: ([name]) => `${name} is approved; its agent gets its certificate at its next question.`,
});

export const serverRoutes = buildRouteMap({
  routes: {
    list,
    show,
    state,
    foreign,
    config,
    history,
    certificates,
    enroll,
    approve,
    pause,
    resume,
    unlock,
    release: releaseCommand,
  },
  docs: { brief: "Servers: list, show, enroll, pause, unlock" },
  aliases: { remove: "release" },
});

function agentWord(context: Context, server: ServerSummary): string {
  if (server.enrolment !== "enrolled") return server.enrolment;
  return server.connected
    ? painter(context)("green", "connected")
    : painter(context)("yellow", `away since ${relative(server.lastSeenAt, context.now())}`);
}

function stateOf(context: Context, server: ServerSummary): string {
  const paint = painter(context);
  if (server.open !== null) return `${paint("yellow", server.open.state)} ${server.open.phase ?? ""}`.trim();
  if (server.locked !== null) return paint("red", `locked (${server.locked.code})`);
  if (server.paused !== null) return paint("yellow", `paused ${relative(server.paused.until, context.now())}`);
  const lost = lostIn(server.floor);
  if (lost.length > 0) return paint("red", `floor lost (${lost.join(", ")})`);
  if (server.drift.length > 0) return paint("yellow", `drift (${server.drift.join(", ")})`);
  return paint("green", "at rest");
}
