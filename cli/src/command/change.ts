import { type ApplyDetail, applyDetailSchema } from "@holdfast/core/api/apply.ts";
import {
  type ChangeDetail,
  changeDetailSchema,
  changeSummarySchema,
  rolloutSchema,
} from "@holdfast/core/api/change.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { type ApplyFlags, applyPlanned, type ForwardFlags } from "../apply-planned.ts";
import { CliError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { BREAK_GLASS, printReview } from "../make-change.ts";
import { readNewest } from "../read-all.ts";
import { asPerson } from "../step-up.ts";
import { act, verb } from "../verb.ts";
import { outcome, stateWord } from "../view/state.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";
import { watchRollout } from "../watch-rollout.ts";

const list = verb({
  brief: "Changes, newest first",
  example: "change list",
  run: async (client, _, context) => {
    const value = await readNewest(context, client, "listChanges", changeSummarySchema);
    return {
      value,
      text: () =>
        table(
          context,
          ["change", "state", "title", "author", "when", "documents"],
          value.map((change) => [
            change.id,
            stateWord(context, change.state),
            plain(change.title),
            change.author,
            relative(change.createdAt, context.now()),
            change.items.map((item) => `${item.kind}/${item.name}`).join(" "),
          ]),
          "No changes yet.",
        ),
    };
  },
});

const show = verb({
  brief: "A change: what it holds, its plans and what came of it",
  example: "change show 0199…",
  operands: ["change"],
  run: async (client, [id = ""]) => {
    const value = await client.call("getChange", { params: { id }, answer: changeDetailSchema });
    return { value, text: (context) => printChange(context, value) };
  },
});

const story = verb({
  brief: "The whole story of a change, server by server, or of one apply, line by line",
  example: "change story 0199…",
  operands: ["change|apply"],
  run: async (client, [id = ""]) => {
    const value = await storiesOf(client, id);
    return {
      value,
      text: (context) =>
        value.length === 0
          ? "This change has been applied to no server yet.\n"
          : value.map((apply) => printStory(context, apply)).join("\n"),
    };
  },
});

/** A person has the id of the change at hand, or that of one server's apply: both are asked for by the same word. */
async function storiesOf(client: Client, id: string): Promise<readonly ApplyDetail[]> {
  const storyOf = (apply: string): Promise<ApplyDetail> =>
    client.call("getApply", { params: { id: apply }, answer: applyDetailSchema });
  try {
    return [await storyOf(id)];
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "resource.not_found") throw error;
  }
  const { applies } = await client.call("getChange", { params: { id }, answer: changeDetailSchema });
  return Promise.all(applies.map((apply) => storyOf(apply.id)));
}

function printStory(context: Context, apply: ApplyDetail): string {
  return [
    `${painter(context)("bold", apply.server)}  ${outcome(context, apply.state, apply.serverIs, apply.effect)}`,
    ...(apply.message === null ? [] : [`  ${plain(apply.message)} (${apply.code ?? ""})`]),
    ...(apply.waitingFor === null ? [] : [`  waiting for: ${apply.waitingFor}`]),
    `  request ${apply.requestId ?? "none yet"}, fence ${apply.fence ?? "none"}, retries ${apply.retryCount}`,
    table(
      context,
      ["at", "state", "phase", "why", "who"],
      apply.events.map((event) => [
        event.at,
        event.toState,
        event.phase ?? "",
        plain([event.code, event.message].filter((part) => part !== null).join(": ")),
        event.actor,
      ]),
      "Nothing happened yet.",
    ),
  ].join("\n");
}

const apply = buildCommand<ForwardFlags, [string], Context>({
  docs: {
    brief: "Plan a change again and apply exactly that",
    fullDescription: "For a change made in the console or by the API.\n\nExample: holdfast change apply 0199… --yes",
  },
  parameters: {
    flags: {
      yes: { kind: "boolean", brief: "Do not ask", default: false },
      acceptDanger: { kind: "boolean", brief: "Apply in spite of findings marked DANGER", default: false },
      breakGlass: BREAK_GLASS,
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    aliases: { y: "yes" },
    positional: { kind: "tuple", parameters: [{ brief: "Id of the change", parse: String, placeholder: "change" }] },
  },
  async func(flags, id) {
    const client = openClient(this);
    const change = await client.call("planChange", { params: { id }, body: {}, answer: changeDetailSchema });
    await applyPlanned(this, client, change, flags, "applyChange");
  },
});

const rollback = buildCommand<ApplyFlags, [string], Context>({
  docs: {
    brief: "Roll a change back after APPLIED, on trial like any other",
    fullDescription:
      "Plans today's composition without the change, shows it, asks, applies. Conflicts with later changes are named.\n\nExample: holdfast change rollback 0199…",
  },
  parameters: {
    flags: {
      yes: { kind: "boolean", brief: "Do not ask", default: false },
      acceptDanger: { kind: "boolean", brief: "Roll back in spite of findings marked DANGER", default: false },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    aliases: { y: "yes" },
    positional: { kind: "tuple", parameters: [{ brief: "Id of the change", parse: String, placeholder: "change" }] },
  },
  async func(flags, id) {
    const client = openClient(this);
    const change = await client.call("planRollback", { params: { id }, body: {}, answer: changeDetailSchema });
    await applyPlanned(this, client, change, flags, "rollbackChange");
  },
});

const confirm = act({
  brief: "Confirm a trial, as the person who sees that it works",
  example: "change confirm 0199…",
  operands: ["apply"],
  send: (client, [id = ""]) => client.call("confirmApply", { params: { id }, body: {}, answer: z.unknown() }),
  done: () => "Confirmation is on its way; the server decides whether it came in time.",
});

const abort = act({
  brief: "Undo now, from whatever state",
  example: "change abort 0199… 'customers complain'",
  operands: ["apply", "reason"],
  send: (client, [id = "", reason]) =>
    client.call("abortApply", { params: { id }, body: { reason }, answer: z.unknown() }),
  done: () => "The undo is asked for. Watch it with: holdfast change story APPLY",
});

const retry = verb({
  brief: "A new apply of the same plan's change; releases a quarantine whose cause was transient",
  example: "change retry 0199…",
  operands: ["apply"],
  run: async (client, [id = ""], context) => {
    const value = await asPerson(context, client, (as) =>
      as.call("retryApply", { params: { id }, body: {}, answer: rolloutSchema }),
    );
    const result = await watchRollout(context, client, value.id);
    context.process.exitCode = result.exitCode;
    return { value: result.rollout, text: () => "" };
  },
});

const withdraw = act({
  brief: "Withdraw a change before anything changed",
  example: "change withdraw 0199…",
  operands: ["change"],
  send: (client, [id = ""]) => client.call("withdrawChange", { params: { id }, body: {}, answer: z.unknown() }),
  done: () => "Withdrawn.",
});

const approve = act({
  brief: "Approve somebody else's change, bound to the digest that was reviewed",
  example: "change approve 0199… 3f9c12ab…",
  operands: ["change", "digest"],
  send: (client, [id = "", digest], context) =>
    asPerson(context, client, (as) =>
      as.call("approveChange", { params: { id }, body: { digest }, answer: z.unknown() }),
    ),
  done: () => "Approved. Any edit of the change voids it.",
});

const unapprove = act({
  brief: "Take your own approval of a change back, before a server moves by it",
  example: "change unapprove 0199…",
  operands: ["change"],
  send: (client, [id = ""]) => client.call("withdrawApproval", { params: { id }, body: {}, answer: z.unknown() }),
  done: () => "Taken back. The change waits for somebody's approval again, where its floor asks for one.",
});

const forceClose = act({
  brief: "Give up on an apply that is in doubt; the server is locked until somebody has looked",
  example: "change force-close 0199… 'server was scrapped'",
  operands: ["apply", "reason"],
  send: (client, [id = "", reason]) =>
    client.call("forceCloseApply", { params: { id }, body: { reason }, answer: z.unknown() }),
  done: () => "Closed as FAILED with unknown effect; the server is locked.",
});

export const changeRoutes = buildRouteMap({
  routes: {
    list,
    show,
    story,
    apply,
    confirm,
    abort,
    retry,
    rollback,
    withdraw,
    approve,
    unapprove,
    "force-close": forceClose,
  },
  docs: { brief: "Changes and what came of them: show, apply, confirm, abort, retry, roll back" },
});

function printChange(context: Context, change: ChangeDetail): string {
  const paint = painter(context);
  return [
    `${paint("bold", plain(change.title))}  ${stateWord(context, change.state)}`,
    `  ${change.id} by ${change.author}, ${relative(change.createdAt, context.now())}${change.reason === "" ? "" : `: ${plain(change.reason)}`}`,
    `  digest ${change.digest}, approvals ${change.approvals.given.length} of ${change.approvals.needed}`,
    ...change.items.map((item) => `  ${item.action} ${item.kind}/${item.name}`),
    "",
    printReview(context, change, change.plans),
    table(
      context,
      ["server", "outcome", "why", "apply"],
      change.applies.map((item) => [
        item.server,
        outcome(context, item.state, item.serverIs, item.effect),
        item.code ?? "",
        item.id,
      ]),
      "Not applied anywhere.",
    ),
  ].join("\n");
}
