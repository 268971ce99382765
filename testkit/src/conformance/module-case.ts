import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { z } from "zod";

const argv = z
  .array(z.string())
  .min(1)
  .transform((words) => words as [string, ...string[]]);
const json = z.json().transform((value) => value as Json);

/**
 * What the kit cannot know of a domain, brought by whoever runs it: some configs, and commands that look at the server without the module.
 * Commands are argument vectors; none is read by a shell unless it names one.
 */
export const moduleCaseSchema = z.strictObject({
  configs: z.strictObject({
    /** Two that are valid, lead to different servers, and take at least one step from one to the other. */
    a: json,
    b: json,
    /** Each is refused by a finding whose path holds `field`. */
    invalid: z.array(z.strictObject({ config: json, field: z.string().min(1) })).min(1),
  }),
  /** The ManagementPath that every plan gets. */
  managementPath: json.default({ controlPlane: [], inbound: [] }),
  /** Prints what of the server is the module's, without parts that change by themselves. The kit's own eyes: equal text, equal server. */
  native: argv,
  /** Changes something of the module's own while `a` is in force, as another program would. */
  tamper: argv,
  /** Something of the same kind that is not the module's. */
  foreign: z.strictObject({ make: argv, read: argv, remove: argv }),
});
export type ModuleCase = z.output<typeof moduleCaseSchema>;

export function readModuleCase(text: string): Result<ModuleCase, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = moduleCaseSchema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(z.prettifyError(parsed.error));
}
