import { changeDetailSchema } from "@holdfast/core/api/change.ts";
import { rekeySchema, secretSchema, type Secret } from "@holdfast/core/api/secret.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError, usageError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readAll } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

function readSecrets(client: Client): Promise<readonly Secret[]> {
  return readAll(client, "listSecrets", secretSchema);
}

/** Typed twice without being shown, or read from standard input; never an argument, which every process of the machine could read. */
async function readValue(context: Context): Promise<string> {
  if (!context.interactive) {
    const value = context.input().replace(/\r?\n$/, "");
    if (value === "")
      throw usageError("There is no value on standard input.", "Example: holdfast secret set NAME < FILE");
    return value;
  }
  const value = await context.ask("Value (not shown): ", { hidden: true });
  if ((await context.ask("The same again: ", { hidden: true })) !== value)
    throw new CliError(EXIT.refused, "cli.values_differ", "The two are not the same; nothing was changed.", "");
  return value;
}

const list = verb({
  brief: "Secrets by name and fingerprint, and who names them; a value is never shown",
  example: "secret list",
  run: async (client) => {
    const value = await readSecrets(client);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["secret", "version", "fingerprint", "made by", "when", "due", "named by"],
          value.flatMap(({ name, versions, usedBy }) =>
            versions.map((one) => [
              name,
              String(one.version),
              one.fingerprint,
              one.madeBy,
              relative(one.madeAt, context.now()),
              one.dueAt === null
                ? "never"
                : `${one.dueAt.slice(0, 10)}${Date.parse(one.dueAt) <= context.now() ? " DUE" : ""}`,
              [
                ...new Set(
                  usedBy
                    .filter((use) => use.version === one.version)
                    .map((use) => `${use.document}${use.as === "draft" ? " (draft)" : ""}`),
                ),
              ].join(" ") || "nobody",
            ]),
          ),
          "No secrets yet. Write psk: generated into a Tunnel, or: holdfast secret set NAME",
        ),
    };
  },
});

const set = verb({
  brief: "Write a secret; the value is asked for without being shown, or read from standard input",
  example: "secret set acme-vpn < key.txt",
  operands: ["secret"],
  run: async (client, [name = ""], context) => {
    // A value in the place of the name would stand in the audit log for ever.
    if (!parseItemName(name).ok)
      throw usageError("This is not the name of a secret.", "Example: holdfast secret set acme-vpn");
    const before = (await readSecrets(client)).find((one) => one.name === name);
    const body = { value: await readValue(context) };
    const ifMatch = `"${before?.etag ?? "0"}"`;
    const value = await client.call("putSecret", { params: { name }, body, ifMatch, answer: secretSchema });
    const newest = value.versions.at(-1);
    const reference = value.versions.length > 1 ? `secret:${name}@${newest?.version ?? 1}` : `secret:${name}`;
    return {
      value,
      text: () =>
        `${name}: version ${newest?.version ?? 1}, fingerprint ${newest?.fingerprint ?? ""}. No server has it yet: a Tunnel names it with psk: "${reference}".\n`,
    };
  },
});

interface RotateFlags {
  readonly value: boolean;
  readonly reason?: string;
  readonly json: boolean;
}

const rotate = buildCommand<RotateFlags, [string], Context>({
  docs: {
    brief: "Make a new version, and a change of every tunnel that names the secret",
    fullDescription:
      "The change is a draft. Applied, both ends of a tunnel get the new key together, on trial; until packets pass the old one is what they go back to.\n" +
      "A key that Holdfast made for a tunnel is called tunnel.NAME.\n\n" +
      "Example: holdfast secret rotate tunnel.seoul-busan",
  },
  parameters: {
    flags: {
      value: {
        kind: "boolean",
        brief: "Ask for the value, or read it from standard input; without it 32 random bytes are made",
        default: false,
      },
      reason: { kind: "parsed", parse: String, brief: "Why, for the audit log", optional: true },
      json: { kind: "boolean", brief: "For machines: the change as one JSON document", default: false },
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the secret", parse: String, placeholder: "secret" }] },
  },
  async func(flags, name) {
    const client = openClient(this);
    const body = {
      reason: flags.reason ?? "",
      ...(flags.value ? { value: await readValue(this) } : {}),
    };
    const change = await client.call("rotateSecret", { params: { name }, body, answer: changeDetailSchema });
    this.process.stdout.write(
      flags.json
        ? `${JSON.stringify(change)}\n`
        : `${change.title}: a draft that changes ${change.content.map((item) => `${item.kind}/${item.name}`).join(", ")}. Next: holdfast change apply ${change.id}\n`,
    );
  },
});

const remove = act({
  brief: "Delete a secret with all its versions; refused while anything names it",
  example: "secret delete acme-vpn",
  operands: ["secret"],
  send: async (client, [name = ""]) => {
    const before = (await readSecrets(client)).find((one) => one.name === name);
    return client.call("deleteSecret", {
      params: { name },
      ifMatch: `"${before?.etag ?? "0"}"`,
      answer: z.unknown(),
    });
  },
  done: ([name]) => `${name} is deleted.`,
});

const rekey = verb({
  brief: "Wrap every secret with a new key-encryption key; nothing pauses, and one that was interrupted goes on",
  example: "secret rekey",
  run: async (client) => {
    const value = await client.call("rekeySecrets", { body: {}, answer: rekeySchema });
    return {
      value,
      text: () => `Every secret is wrapped with the key ${value.keyId}; wrapped anew: ${value.wrapped}.\n`,
    };
  },
});

export const secretRoutes = buildRouteMap({
  routes: { list, set, rotate, delete: remove, rekey },
  docs: { brief: "Secrets: write, rotate and delete; nobody reads one" },
});
