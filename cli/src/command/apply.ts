import { rolloutSchema } from "@holdfast/core/api/change.ts";
import { buildCommand } from "@stricli/core";
import { CliError, usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { applicable, BREAK_GLASS, dangers, makeAndPlan, obstacles, printReview } from "../make-change.ts";
import { readDocuments } from "../read-documents.ts";
import { asPerson } from "../step-up.ts";
import { watchRollout } from "../watch-rollout.ts";

interface Flags {
  readonly file: string;
  readonly on?: readonly string[];
  readonly title?: string;
  readonly reason?: string;
  readonly yes: boolean;
  readonly acceptDanger: boolean;
  readonly overwriteDrift: boolean;
  readonly breakGlass?: string;
  readonly json: boolean;
}

export const applyCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Validate, plan, show, ask, apply and watch: daily work in one command",
    fullDescription:
      "Makes a change of the documents, asks every server concerned what it would do, shows it, asks you, and applies exactly what was shown.\n" +
      "Each server takes it on trial and undoes it by itself unless it is confirmed over a new connection.\n\n" +
      "Example: holdfast apply -f web-host.yaml --on web-1",
  },
  parameters: {
    flags: {
      file: { kind: "parsed", parse: String, brief: "A file or folder with documents, - for standard input" },
      on: {
        kind: "parsed",
        parse: String,
        brief: "Only on this server (may be repeated)",
        optional: true,
        variadic: true,
      },
      title: { kind: "parsed", parse: String, brief: "What the change is called", optional: true },
      reason: { kind: "parsed", parse: String, brief: "Why, for the audit log", optional: true },
      yes: { kind: "boolean", brief: "Do not ask; findings marked DANGER still stop it", default: false },
      acceptDanger: {
        kind: "boolean",
        brief: "Together with --yes: apply in spite of findings marked DANGER",
        default: false,
      },
      overwriteDrift: {
        kind: "boolean",
        brief: "Overwrite what was changed by hand on items of this plan",
        default: false,
      },
      breakGlass: BREAK_GLASS,
      json: { kind: "boolean", brief: "For machines: one JSON document on standard output", default: false },
    },
    aliases: { f: "file", y: "yes" },
  },
  async func(flags) {
    const client = openClient(this);
    const files = readDocuments(flags.file);
    const change = await makeAndPlan(client, {
      title: flags.title ?? `apply ${flags.file}`,
      reason: flags.reason ?? "",
      documents: files.map(({ file, text }) => ({ file, text })),
    });
    const wanted =
      flags.on === undefined ? change.plans : change.plans.filter((plan) => flags.on?.includes(plan.server));
    for (const name of flags.on ?? []) {
      if (!change.plans.some((plan) => plan.server === name)) {
        throw usageError(
          `The change does not concern the server ${name}.`,
          `It concerns: ${change.plans.map((plan) => plan.server).join(", ") || "no server"}.`,
        );
      }
    }
    if (!flags.json) this.process.stdout.write(printReview(this, change, wanted));

    const stopping = obstacles(wanted);
    if (stopping.length > 0) {
      throw new CliError(
        EXIT.refused,
        "change.not_plannable",
        `Not applied: ${stopping.map((plan) => `${plan.server} (${plan.status})`).join(", ")}.`,
        "Mend what the plans say, or leave these servers out with --on.",
        stopping.flatMap((plan) =>
          plan.findings.map((finding) => ({ ...finding, path: `${plan.server} ${finding.path}` })),
        ),
      );
    }
    const plans = applicable(wanted);
    if (plans.length === 0) {
      this.process.stdout.write(
        flags.json ? `${JSON.stringify({ changeId: change.id, result: "nothing_to_do" })}\n` : "Nothing to do.\n",
      );
      return;
    }
    const accepted = await agree(this, flags, plans);
    const body = {
      plans: plans.map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })),
      acknowledge: accepted.map(({ server, finding }) => ({ server, code: finding.code, path: finding.path })),
      overwriteDrift: flags.overwriteDrift,
      ...(flags.breakGlass === undefined ? {} : { breakGlass: flags.breakGlass }),
    };
    const rollout = await asPerson(this, client, (as) =>
      as.call("applyChange", { params: { id: change.id }, body, answer: rolloutSchema }),
    );
    const result = await watchRollout(this, client, rollout.id);
    if (flags.json) this.process.stdout.write(`${JSON.stringify({ changeId: change.id, rollout: result.rollout })}\n`);
    this.process.exitCode = result.exitCode;
  },
});

async function agree(
  context: Context,
  flags: Flags,
  plans: Parameters<typeof dangers>[0],
): Promise<ReturnType<typeof dangers>> {
  const risky = dangers(plans);
  if (flags.yes) {
    if (risky.length > 0 && !flags.acceptDanger) {
      throw new CliError(
        EXIT.refused,
        "change.danger_not_accepted",
        `Not applied: ${risky.length} finding${risky.length === 1 ? "" : "s"} marked DANGER.`,
        "Read them; then add --accept-danger, or apply without --yes.",
        risky.map(({ finding }) => finding),
      );
    }
    return risky;
  }
  if (!context.interactive) throw usageError("Nobody is here to ask.", "Add --yes to apply without a question.");
  const servers = plans.map((plan) => plan.server).join(", ");
  const needed = risky.length > 0 ? servers : "yes";
  const question =
    risky.length > 0
      ? `This may cut what people use now. To apply on ${servers} all the same, type the server name${plans.length === 1 ? "" : "s"}: `
      : `Apply on ${servers}? Type yes: `;
  const answer = (await context.ask(question)).trim();
  if (answer !== needed) throw new CliError(EXIT.refused, "cli.not_confirmed", "Not applied; nothing was changed.", "");
  return risky;
}
