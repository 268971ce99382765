import { type ChangeDetail, rolloutSchema } from "@holdfast/core/api/change.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { askDemo, demoClientSchema, type DemoStatus, demoStatusSchema } from "../demo-socket.ts";
import { EXIT } from "../exit-code.ts";
import { applicable, dangers, makeAndPlan, printReview } from "../make-change.ts";
import { painter } from "../view/style.ts";
import { watchRollout } from "../watch-rollout.ts";

/** The strip shows the last fetches of the client, oldest left. */
const STRIP_LENGTH = 60;
/** How long the client is watched after the outcome, so that its recovery is seen. */
const AFTERMATH_MS = 3000;

const lockout = buildCommand<object, [], Context>({
  docs: {
    brief: "The first five minutes, in a terminal: cut a server off twice and watch it come back by itself",
    fullDescription:
      "Needs the running demo (make up). First the rule that the client needs is deleted and applied anyway; then everything is dropped and the\n" +
      "control plane is killed while that is on trial.\n\nExample: holdfast demo lockout",
  },
  parameters: { flags: {} },
  async func() {
    const demo = await askDemo(this, "GET", "/status", demoStatusSchema);
    const client = openClient(this, { url: demo.url, token: demo.token });
    let allUndone = true;
    for (const [index, act] of demo.acts.entries()) {
      const paint = painter(this);
      this.process.stdout.write(`\n${paint("bold", `${index + 1}. ${act.title}`)}\n${act.story}\n\n`);
      allUndone = (await perform(this, client, demo, act)) && allUndone;
    }
    this.process.stdout.write(
      allUndone
        ? "\nBoth mistakes were undone by the server itself; it is as before.\n"
        : "\nNot every mistake was undone: see holdfast server history " + demo.server + "\n",
    );
    if (!allUndone) this.process.exitCode = EXIT.refused;
  },
});

export const demoRoutes = buildRouteMap({ routes: { lockout }, docs: { brief: "Practise on the demo servers" } });

async function perform(
  context: Context,
  client: Client,
  demo: DemoStatus,
  act: DemoStatus["acts"][number],
): Promise<boolean> {
  const change: ChangeDetail = await makeAndPlan(client, { title: act.title, documents: [{ text: act.text }] });
  const plans = applicable(change.plans.filter((plan) => plan.server === demo.server));
  context.process.stdout.write(printReview(context, change, plans));
  const rollout = await client.call("applyChange", {
    params: { id: change.id },
    body: {
      plans: plans.map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })),
      acknowledge: dangers(plans).map(({ server, finding }) => ({ server, code: finding.code, path: finding.path })),
    },
    answer: rolloutSchema,
  });
  if (act.killControlPlane) await killOnTrial(context, client, rollout.id);
  const { rollout: ended } = await watchRollout(context, client, rollout.id);
  await context.sleep(AFTERMATH_MS);
  const { fetches } = await askDemo(context, "GET", "/client", demoClientSchema);
  const paint = painter(context);
  context.process.stdout.write(
    `\n  the client  ${fetches
      .slice(-STRIP_LENGTH)
      .map((one) => (one.ok ? paint("green", "•") : paint("red", "x")))
      .join("")}\n`,
  );
  const ends = ended.waves.flatMap((wave) => wave.servers).map((target) => target.apply);
  return ends.length > 0 && ends.every((apply) => apply?.state === "ROLLED_BACK" && apply.serverIs === "as_before");
}

async function killOnTrial(context: Context, client: Client, rolloutId: string): Promise<void> {
  for (;;) {
    const rollout = await client.call("getRollout", { params: { id: rolloutId }, answer: rolloutSchema });
    const apply = rollout.waves.flatMap((wave) => wave.servers).map((target) => target.apply)[0];
    if (apply?.phase === "on_trial") break;
    if (rollout.state === "DONE" || rollout.state === "HALTED") return;
    await context.sleep(50);
  }
  await askDemo(context, "POST", "/kill-control-plane", z.unknown());
  context.process.stdout.write("  It is on trial, and the control plane has just been killed.\n");
}
