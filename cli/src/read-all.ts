import type { RouteName } from "@holdfast/core/api/route.ts";
import { z } from "zod";
import { CliError } from "./cli-error.ts";
import type { Call, Client } from "./client.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

/** As many as the API gives at once: fewer questions. */
const PAGE = 200;

/** A list whole, page after page. Half a list that looks like all of it would let somebody decide on what they were not shown. */
export async function readAll<Item extends z.ZodType>(
  client: Client,
  route: RouteName,
  item: Item,
  { params, query }: Pick<Call<z.ZodType>, "params" | "query"> = {},
): Promise<z.infer<Item>[]> {
  const answer = z.object({ items: z.array(item), nextCursor: z.string().nullable() });
  const items: z.infer<Item>[] = [];
  const asked = new Set<string>();
  for (let cursor: string | undefined; ;) {
    const page = await client.call(route, {
      ...(params === undefined ? {} : { params }),
      query: { limit: PAGE, ...query, cursor },
      answer,
    });
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
    if (asked.has(cursor))
      throw new CliError(
        EXIT.unreachable,
        "cli.list_without_end",
        "The control plane gave the same page twice; this list would never end.",
        "Try again; if it stays so, look into the control plane's log.",
      );
    asked.add(cursor);
  }
}

/** The newest of what grows for ever. That there is more is said beside the answer, where it spoils no table and no JSON. */
export async function readNewest<Item extends z.ZodType>(
  context: Context,
  client: Client,
  route: RouteName,
  item: Item,
  { params, query }: Pick<Call<z.ZodType>, "params" | "query"> = {},
): Promise<z.infer<Item>[]> {
  const { items, nextCursor } = await client.call(route, {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    answer: z.object({ items: z.array(item), nextCursor: z.string().nullable() }),
  });
  if (nextCursor !== null)
    context.process.stderr.write(`These are the newest ${items.length}; there are older ones.\n`);
  return items;
}
