import { buildCommand, type Command } from "@stricli/core";
import type { z } from "zod";
import { type Client, openClient } from "./client.ts";
import type { Context } from "./context.ts";

export interface Answer<T> {
  readonly value: T;
  readonly text: (context: Context) => string;
}

interface VerbFlags {
  readonly json: boolean;
}

/** A verb that asks the API and prints: a person gets `text`, a script gets the value itself as JSON. */
export function verb<T>(options: {
  readonly brief: string;
  readonly example: string;
  /** Names of the operands, in order. */
  readonly operands?: readonly string[];
  readonly run: (client: Client, operands: readonly string[], context: Context) => Promise<Answer<T>>;
}): Command<Context> {
  const names = options.operands ?? [];
  return buildCommand<VerbFlags, string[], Context>({
    docs: { brief: options.brief, fullDescription: `${options.brief}.\n\nExample: holdfast ${options.example}` },
    parameters: {
      flags: { json: { kind: "boolean", brief: "For machines: the answer as one JSON document", default: false } },
      positional: {
        kind: "array",
        parameter: {
          brief: names.length === 0 ? "Nothing" : names.join(", "),
          parse: String,
          placeholder: names.join("> <") || "none",
        },
        minimum: names.length,
        maximum: names.length,
      },
    },
    async func(flags, ...operands) {
      const answer = await options.run(openClient(this), operands, this);
      this.process.stdout.write(flags.json ? `${JSON.stringify(answer.value)}\n` : answer.text(this));
    },
  });
}

/** A verb that only sends something, and says in a sentence what was done. */
export function act<Schema extends z.ZodType>(options: {
  readonly brief: string;
  readonly example: string;
  readonly operands: readonly string[];
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
