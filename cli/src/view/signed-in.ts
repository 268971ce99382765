import type { signedInSchema } from "@holdfast/core/api/account.ts";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { plain } from "./style.ts";
import { table } from "./table.ts";
import { relative } from "./time.ts";

export function signedInTable(context: Context, items: readonly z.infer<typeof signedInSchema>[]): string {
  const nowMs = context.now();
  return table(
    context,
    ["id", "kind", "name", "from", "last used", "expires"],
    items.map((one) => [
      one.id,
      one.current ? `${one.kind} (this one)` : one.kind,
      plain(one.name),
      plain(one.source),
      relative(one.lastUsedAt, nowMs),
      relative(one.expiresAt, nowMs),
    ]),
    "Nothing is signed in.",
  );
}
