import type { liveStateSchema } from "@holdfast/core/api/server.ts";
import { floorWords } from "@holdfast/core/floor/standing.ts";
import { z } from "zod";
import type { Context } from "../context.ts";
import { plain } from "./style.ts";
import { table } from "./table.ts";

type LiveState = z.infer<typeof liveStateSchema>;

/** What is shown of the network as a server tells it. An agent of another age may tell it otherwise: then there is no such table. */
const networkSeen = z.object({
  links: z.array(
    z.object({
      name: z.string(),
      operational: z.string(),
      carrier: z.boolean(),
      mtu: z.number(),
      addresses: z.array(z.object({ address: z.string(), leaseSeconds: z.number().nullable() })),
      counters: z.object({ rxBytes: z.number(), rxErrors: z.number(), txBytes: z.number(), txErrors: z.number() }),
    }),
  ),
  neighbours: z.array(
    z.object({ address: z.string(), link: z.string(), mac: z.string().nullable(), state: z.string() }),
  ),
});

/** Why it waits to be restarted; an agent from before that question says nothing. */
const UPDATES_TIMER = "apt-daily-upgrade.timer";

const systemSeen = z.object({
  apt: z.record(z.string(), z.array(z.string())).nullish(),
  timers: z
    .record(z.string(), z.object({ next: z.string(), last: z.string().default(""), unit: z.string().default("") }))
    .optional(),
  taskRuns: z.record(z.string(), z.object({ result: z.string(), began: z.string(), status: z.number() })).optional(),
  restart: z.array(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("package"), name: z.string() }),
      z.object({ kind: z.literal("kernel"), runs: z.string(), next: z.string() }),
    ]),
  ),
});

/** A server as it is now: each domain held against what was confirmed, what differs item by item, its interfaces and its neighbours. */
export function printLive(context: Context, live: LiveState): string {
  const differences = live.domains.flatMap(({ domain, differences: items }) =>
    items.map(({ path, expected, found }) => [domain, path, expected, found].map((text) => plain(text))),
  );
  const system = systemSeen.safeParse(live.domains.find(({ domain }) => domain === "system")?.observed);
  const seen = networkSeen.safeParse(live.domains.find(({ domain }) => domain === "network")?.observed);
  return [
    `generation ${live.generation}, boot ${live.bootId}\n`,
    table(
      context,
      ["domain", "live", "confirmed", "drift"],
      live.domains.map((item) => [
        item.domain,
        item.liveDigest.slice(0, 12),
        item.confirmedDigest.slice(0, 12) || "none",
        plain(item.error) || (item.drift ? "DRIFT" : "no"),
      ]),
      "The server reports no domain.",
    ),
    ...(differences.length === 0
      ? []
      : ["\n", table(context, ["domain", "item", "confirmed", "found"], differences, "")]),
    ...live.domains.flatMap(({ domain, floor }) =>
      floor === null
        ? []
        : [
            `${floor.lost.length > 0 ? "FLOOR LOST" : "floor was lost"} outside of any change: ${plain(floorWords(domain, floor))}\n`,
          ],
    ),
    ...(system.success
      ? [...system.data.restart.map(restartLine), ...updateLines(system.data), ...printTasks(context, system.data)]
      : []),
    ...(seen.success ? ["\n", printNetwork(context, seen.data)] : []),
  ].join("");
}

/** When packages are installed by themselves; nothing is said where none are. */
function updateLines({ apt, timers }: z.infer<typeof systemSeen>): readonly string[] {
  const installs = apt?.["APT::Periodic::Unattended-Upgrade"]?.[0] ?? "";
  const next = timers?.[UPDATES_TIMER]?.next ?? "";
  if (installs === "" || installs === "0") return [];
  return [next === "" ? "updates by themselves: the timer does not run\n" : `updates by themselves: ${plain(next)}\n`];
}

const TASK_TIMER = /^holdfast-task-(.+)\.timer$/;

/** Our tasks: when each is due, when it was, and how it went; nothing is said where there are none. */
function printTasks(context: Context, { timers, taskRuns }: z.infer<typeof systemSeen>): readonly string[] {
  const rows = Object.entries(timers ?? {}).flatMap(([timer, { unit, next, last }]) => {
    const [, name] = TASK_TIMER.exec(timer) ?? [];
    if (name === undefined) return [];
    const run = taskRuns?.[unit];
    const went =
      run === undefined || run.began === ""
        ? "not yet"
        : run.result === "success"
          ? "success"
          : `FAILED: ${run.result} (${run.status})`;
    return [[name, unit, next || "not due", last || "not yet", went].map((text) => plain(text))];
  });
  return rows.length === 0 ? [] : ["\n", table(context, ["task", "starts", "next", "last", "result"], rows, "")];
}

function restartLine(reason: z.infer<typeof systemSeen>["restart"][number]): string {
  if (reason.kind === "kernel")
    return `restart wanted: the next boot starts the kernel ${plain(reason.next)}; ${plain(reason.runs)} runs now\n`;
  return `restart wanted: ${reason.name === "" ? "a package that was upgraded" : plain(reason.name)} asks for it\n`;
}

function printNetwork(context: Context, { links, neighbours }: z.infer<typeof networkSeen>): string {
  const rows = links.map((link) => [
    plain(link.name),
    link.operational === "" ? (link.carrier ? "carrier" : "no carrier") : plain(link.operational),
    String(link.mtu),
    link.addresses.map(({ address, leaseSeconds }) => plain(address) + leased(leaseSeconds)).join(" ") || "none",
    `${link.counters.rxBytes} / ${link.counters.txBytes}`,
    `${link.counters.rxErrors} / ${link.counters.txErrors}`,
  ]);
  const heads = ["interface", "state", "mtu", "addresses", "bytes in / out", "errors in / out"];
  const near = neighbours.map(({ address, link, mac, state }) => [address, link, mac ?? "none", state].map(plain));
  return [
    table(context, heads, rows, "No interfaces."),
    ...(near.length === 0 ? [] : ["\n", table(context, ["neighbour", "on", "hardware", "state"], near, "")]),
  ].join("");
}

function leased(seconds: number | null): string {
  return seconds === null ? "" : ` (lent for ${Math.round(seconds / 60)} min)`;
}
