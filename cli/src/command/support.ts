import { gzipSync } from "node:zlib";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readAll } from "../read-all.ts";
import { apiWords } from "../support/api-words.ts";
import type { NameKind } from "../support/hidden-names.ts";
import { redactor } from "../support/redact.ts";
import { tar } from "../support/tar.ts";
import { writeWhole } from "../write-whole.ts";

/** Read whole, since what they name is hidden in every other file. Without one of them the rest would name the house. */
const NAMES = {
  servers: ["listServers", "server"],
  documents: ["listDocuments", "document"],
  accounts: ["listUsers", "person"],
  secrets: ["listSecrets", "secret"],
} as const satisfies Readonly<Record<string, readonly [RouteName, NameKind]>>;

/** What is asked besides, the newest of each; each is a file of the bundle. */
const LISTS = {
  doctor: ["doctor", {}],
  changes: ["listChanges", { limit: 200 }],
  rollouts: ["listRollouts", { limit: 200 }],
  applies: ["listApplies", { limit: 200 }],
  alerts: ["listAlerts", { state: "all", limit: 200 }],
  deliveries: ["listDeliveries", { limit: 200 }],
  audit: ["listAudit", { limit: 200 }],
  "audit-chain": ["verifyAudit", {}],
} as const satisfies Readonly<Record<string, readonly [RouteName, Readonly<Record<string, string | number>>]>>;

/** The newest of those that did not end as asked are told whole. */
const STORIES = 20;
const namedSchema = z.looseObject({ name: z.string() });
const rowsSchema = z.object({ items: z.array(z.record(z.string(), z.unknown())) });

interface BundleFlags {
  readonly out?: string;
}

const bundle = buildCommand<BundleFlags, [], Context>({
  docs: {
    brief: "One archive with what a maintainer needs, without names, addresses, contents and secrets",
    fullDescription:
      "Asks the API what you may see, replaces names and addresses by stand-ins, leaves contents out, and writes a file that only you can read.\n" +
      "Needs view and admin on every server: a name that is not known cannot be hidden. Look into it before you send it.\n\nExample: holdfast support bundle --out case-7.tar.gz",
  },
  parameters: {
    flags: { out: { kind: "parsed", parse: String, brief: "The file; it must not be there yet", optional: true } },
  },
  async func({ out }) {
    const file = out ?? `holdfast-support-${new Date(this.now()).toISOString().replaceAll(/[:.]/g, "")}.tar.gz`;
    await writeWhole(file, async (write) => {
      const files = await gather(openClient(this), this.now());
      await write(gzipSync(tar(files, Math.floor(this.now() / 1_000))));
    });
    this.process.stdout.write(`${file}: look into it before you send it: tar -xzOf ${file}\n`);
  },
});

export const supportRoutes = buildRouteMap({
  routes: { bundle },
  docs: { brief: "Help from those who make Holdfast" },
});

async function gather(
  client: Client,
  nowMs: number,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const routes = [...Object.values(NAMES), ...Object.values(LISTS)].map(([route]) => route);
  const hiding = redactor(apiWords([...routes, "getApply"]));
  const answers = new Map<string, unknown>();
  for (const [what, [route, kind]] of Object.entries(NAMES)) {
    const items = await readNames(client, what, route);
    for (const { name } of items) hiding.hide(kind, name);
    answers.set(what, { items });
  }
  for (const [name, [route, query]] of Object.entries(LISTS)) answers.set(name, await askFor(client, route, { query }));
  const applies = rowsOf(answers.get("applies")).filter(({ state }) => state === "FAILED" || state === "ROLLED_BACK");
  const stories: unknown[] = [];
  for (const { id } of applies.slice(0, STORIES))
    if (typeof id === "string") stories.push(await askFor(client, "getApply", { params: { id } }));
  answers.set("stories", stories);

  for (const answer of answers.values()) hiding.hideNamesIn(answer);
  // Who may do what, and how a secret is told from another, is nobody's business; that there are so many may be.
  answers.set("accounts", countOf(answers.get("accounts")));
  answers.set("secrets", countOf(answers.get("secrets")));
  const about = {
    made: new Date(nowMs).toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    holds: [...answers.keys()],
    standIns:
      "The same name is the same stand-in in all files. Contents, titles, reasons, labels and sources are left out.",
  };
  return [
    { name: "about.json", text: `${JSON.stringify(about, null, 2)}\n` },
    ...[...answers].map(([name, answer]) => ({
      name: `${name}.json`,
      text: `${JSON.stringify(hiding.redact(answer), null, 2)}\n`,
    })),
  ];
}

async function readNames(client: Client, what: string, route: RouteName): Promise<z.infer<typeof namedSchema>[]> {
  try {
    return await readAll(client, route, namedSchema);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(
      error.exitCode,
      error.code,
      `The list of ${what} could not be read, so their names could not be hidden; no file was written. ${error.message}`,
      error.remedy,
    );
  }
}

function countOf(answer: unknown): { readonly count: number } {
  return { count: rowsOf(answer).length };
}

/** What one may not see, or what is broken, is said in its place: a bundle is wanted most when something is. */
async function askFor(
  client: Client,
  route: RouteName,
  call: {
    readonly query?: Readonly<Record<string, string | number>>;
    readonly params?: Readonly<Record<string, string>>;
  },
): Promise<unknown> {
  try {
    return await client.call(route, { ...call, answer: z.unknown() });
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === EXIT.unreachable) throw error;
    return { notAnswered: error.code };
  }
}

function rowsOf(answer: unknown): readonly Readonly<Record<string, unknown>>[] {
  const parsed = rowsSchema.safeParse(answer);
  return parsed.success ? parsed.data.items : [];
}
