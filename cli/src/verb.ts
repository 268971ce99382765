import { buildCommand, type Command, type TypedPositionalParameters } from "@stricli/core";
import type { z } from "zod";
import { type Client, openClient } from "./client.ts";
import type { Context } from "./context.ts";

export interface Answer<T> {
  readonly value: T;
  readonly text: (context: Context) => string;
}

export const JSON_FLAG = {
  kind: "boolean",
  brief: "For machines: the answer as one JSON document",
  default: false,
} as const;

/** A person gets `text`, a script the value itself. */
export function printAnswer(context: Context, json: boolean, value: unknown, text: string): void {
  context.process.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
}

/** What can stand behind a command, as it is called in the help and in what is missing. */
const OPERANDS = {
  alert: "The alert's id, of holdfast alert list",
  apply: "The apply's id, of holdfast server history",
  change: "The change's id, of holdfast change list",
  "change|apply": "The id of a change, of holdfast change list, or of one apply, of holdfast server history",
  digest: "The digest that was read, of holdfast change show",
  document: "NAME of a policy, or KIND/NAME",
  epoch: "The number that holdfast audit verify told",
  fingerprint: "The key's fingerprint, as the server shows it",
  from: "The older revision",
  id: "The id, of the list of sessions",
  person: "Where an end is people: the person",
  passkey: "The passkey's id, of holdfast me passkeys list",
  link: "The link's id, of holdfast user links",
  reason: "Why, for those who come after",
  role: "Name of the role",
  rollout: "The rollout's id, of holdfast rollout list",
  secret: "Name of the secret",
  server: "Name of the server",
  subject: "The subject at the provider, as the refused sign-in shows it",
  to: "The newer revision",
  token: "The token's id, of holdfast token list",
  tunnel: "Name of the tunnel",
  user: "Name of the account",
} as const;
type Operand = keyof typeof OPERANDS;

interface VerbFlags {
  readonly json: boolean;
}

/** A verb that asks the API and prints: a person gets `text`, a script gets the value itself as JSON. */
export function verb<T>(options: {
  readonly brief: string;
  readonly example: string;
  /** In order. */
  readonly operands?: readonly Operand[];
  /** Behind those: may be left out. */
  readonly last?: Operand;
  readonly run: (client: Client, operands: readonly string[], context: Context) => Promise<Answer<T>>;
}): Command<Context> {
  const operands = options.operands ?? [];
  const positional = {
    kind: "tuple",
    parameters: [...operands, ...(options.last === undefined ? [] : [options.last])].map((placeholder) => ({
      brief: OPERANDS[placeholder],
      parse: String,
      placeholder,
      ...(placeholder === options.last ? { optional: true as const } : {}),
    })),
  } as const;
  return buildCommand<VerbFlags, string[], Context>({
    docs: { brief: options.brief, fullDescription: `${options.brief}.\n\nExample: holdfast ${options.example}` },
    // A tuple names each operand in the help and in what is missing; its type asks for a length that is known when this is compiled.
    parameters: {
      flags: { json: JSON_FLAG },
      positional: positional as unknown as TypedPositionalParameters<string[], Context>,
    },
    async func(flags, ...given) {
      const answer = await options.run(openClient(this), given, this);
      printAnswer(this, flags.json, answer.value, flags.json ? "" : answer.text(this));
    },
  });
}

/** A verb that only sends something, and says in a sentence what was done. */
export function act<Schema extends z.ZodType>(options: {
  readonly brief: string;
  readonly example: string;
  readonly operands: readonly Operand[];
  readonly send: (client: Client, operands: readonly string[], context: Context) => Promise<z.infer<Schema>>;
  readonly done: (operands: readonly string[]) => string;
}): Command<Context> {
  return verb({
    brief: options.brief,
    example: options.example,
    operands: options.operands,
    run: async (client, operands, context) => ({
      value: (await options.send(client, operands, context)) as unknown,
      text: () => `${options.done(operands)}\n`,
    }),
  });
}
