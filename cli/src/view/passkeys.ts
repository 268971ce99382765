import type { passkeySchema } from "@holdfast/core/api/passkey.ts";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { plain } from "./style.ts";
import { table } from "./table.ts";
import { relative } from "./time.ts";

export function passkeyTable(context: Context, items: readonly z.infer<typeof passkeySchema>[]): string {
  const nowMs = context.now();
  return table(
    context,
    ["id", "name", "kept", "made", "last used"],
    items.map((one) => [
      one.id,
      plain(one.name),
      one.synced ? "synchronised" : "on one device",
      relative(one.createdAt, nowMs),
      relative(one.lastUsedAt, nowMs),
    ]),
    "You have no passkey. One is made in the console, in a browser.",
  );
}
