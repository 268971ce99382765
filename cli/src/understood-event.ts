import { eventValue } from "@holdfast/core/api/event-text.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** What an event of the API says. @throws CliError where it is none that this version knows */
export function understoodEvent<Value>(
  schema: { safeParse(value: unknown): { success: boolean; data?: Value } },
  data: string,
): Value {
  const parsed = schema.safeParse(eventValue(data));
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  throw new CliError(
    EXIT.unreachable,
    "cli.answer_not_understood",
    "The control plane sent events in a shape that this command does not know.",
    "Use a holdfast of the same version as the control plane.",
  );
}
