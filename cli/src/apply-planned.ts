import { type ChangeDetail, rolloutSchema } from "@holdfast/core/api/change.ts";
import { CliError, usageError } from "./cli-error.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { applicable, dangers, obstacles, printReview } from "./make-change.ts";
import { asPerson } from "./step-up.ts";
import { watchRollout } from "./watch-rollout.ts";

export interface ApplyFlags {
  readonly yes: boolean;
  readonly acceptDanger: boolean;
  readonly json: boolean;
}

export interface ForwardFlags extends ApplyFlags {
  readonly breakGlass?: string;
}

/** Shows what was planned, asks, applies exactly that and watches it to its end. False: there was nothing to do. */
export async function applyPlanned(
  context: Context,
  client: Client,
  change: ChangeDetail,
  flags: ForwardFlags,
  route: "applyChange" | "rollbackChange",
): Promise<boolean> {
  const kind = route === "applyChange" ? "forward" : "rollback";
  const plans = change.plans.filter((plan) => plan.kind === kind);
  if (!flags.json) context.process.stdout.write(printReview(context, change, plans));
  const stopping = obstacles(plans);
  if (stopping.length > 0) {
    throw new CliError(
      EXIT.refused,
      "change.not_plannable",
      `Not possible on ${stopping.map((plan) => plan.server).join(", ")}.`,
      "Mend what the plans say.",
    );
  }
  const doable = applicable(plans);
  if (doable.length === 0) {
    context.process.stdout.write("Nothing to do.\n");
    return false;
  }
  const risky = dangers(doable);
  if (risky.length > 0 && !flags.acceptDanger) {
    throw new CliError(
      EXIT.refused,
      "change.danger_not_accepted",
      "There are findings marked DANGER.",
      "Read them; then add --accept-danger.",
      risky.map(({ finding }) => finding),
    );
  }
  if (!flags.yes) {
    if (!context.interactive) throw usageError("Nobody is here to ask.", "Add --yes.");
    if (
      (
        await context.ask(
          `${kind === "forward" ? "Apply" : "Roll back"} on ${doable.map((plan) => plan.server).join(", ")}? Type yes: `,
        )
      ).trim() !== "yes"
    ) {
      throw new CliError(EXIT.refused, "cli.not_confirmed", "Not done; nothing was changed.", "");
    }
  }
  const body = {
    plans: doable.map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })),
    acknowledge: risky.map(({ server, finding }) => ({ server, code: finding.code, path: finding.path })),
    ...(flags.breakGlass === undefined ? {} : { breakGlass: flags.breakGlass }),
  };
  const rollout = await asPerson(context, client, (as) =>
    as.call(route, { params: { id: change.id }, body, answer: rolloutSchema }),
  );
  const result = await watchRollout(context, client, rollout.id);
  if (flags.json) context.process.stdout.write(`${JSON.stringify(result.rollout)}\n`);
  context.process.exitCode = result.exitCode;
  return true;
}
