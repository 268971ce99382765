import { type Rollout, rolloutSchema } from "@holdfast/core/api/change.ts";
import { buildRouteMap } from "@stricli/core";
import { z } from "zod";
import type { Context } from "../context.ts";
import { readNewest } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { outcome } from "../view/state.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

const list = verb({
  brief: "Rollouts, newest first",
  example: "rollout list",
  run: async (client, _, context) => {
    const value = await readNewest(context, client, "listRollouts", rolloutSchema);
    return {
      value,
      text: () =>
        table(
          context,
          ["rollout", "kind", "state", "wave", "by", "when"],
          value.map((item) => [
            item.id,
            item.kind,
            item.state,
            `${item.currentWave + 1} of ${item.waves.length}`,
            item.requestedBy,
            relative(item.createdAt, context.now()),
          ]),
          "No rollouts yet.",
        ),
    };
  },
});

const show = verb({
  brief: "A rollout by waves",
  example: "rollout show 0199…",
  operands: ["rollout"],
  run: async (client, [id = ""]) => {
    const value = await client.call("getRollout", { params: { id }, answer: rolloutSchema });
    return { value, text: (context) => printRollout(context, value) };
  },
});

const verbs = [
  ["pauseRollout", "pause", "Start nothing new; what is on trial goes on", "paused"],
  ["resumeRollout", "resume", "Go on with a paused rollout", "running again"],
  ["haltRollout", "halt", "End it where it stands", "halted"],
] as const;

const [pause, resume, halt] = verbs.map(([route, name, brief, done]) =>
  act({
    brief,
    example: `rollout ${name} 0199…`,
    operands: ["rollout"],
    send: (client, [id = ""]) => client.call(route, { params: { id }, body: {}, answer: z.unknown() }),
    done: () => `The rollout is ${done}.`,
  }),
) as [ReturnType<typeof act>, ReturnType<typeof act>, ReturnType<typeof act>];

export const rolloutRoutes = buildRouteMap({
  routes: { list, show, pause, resume, halt },
  docs: { brief: "Rollouts: a change on its way over its servers" },
});

function printRollout(context: Context, rollout: Rollout): string {
  const why = rollout.haltMessage === null ? "" : `\n  ${plain(rollout.haltMessage)} (${rollout.haltCode ?? ""})`;
  return `${rollout.kind} ${rollout.state}${why}\n${table(
    context,
    ["wave", "server", "outcome", "why"],
    rollout.waves.flatMap((wave) =>
      wave.servers.map(({ server, apply }) => [
        String(wave.wave + 1),
        server,
        apply === null ? "not started" : outcome(context, apply.state, apply.serverIs, apply.effect),
        apply?.code ?? "",
      ]),
    ),
    "No servers.",
  )}`;
}
