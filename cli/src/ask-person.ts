import { usageError } from "./cli-error.ts";
import type { Context } from "./context.ts";

/** Asks whoever is at the terminal. Where nobody is, `otherwise` says what to do instead. */
export async function askPerson(
  context: Context,
  question: string,
  options: { readonly hidden?: boolean; readonly otherwise: string },
): Promise<string> {
  if (!context.interactive) throw usageError("Nobody is here to ask.", options.otherwise);
  return context.ask(question, { hidden: options.hidden ?? false });
}
