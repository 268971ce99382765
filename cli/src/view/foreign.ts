import type { liveStateSchema } from "@holdfast/core/api/server.ts";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { painter, plain } from "./style.ts";

/** What others have set on a server, domain by domain, as it stands there: for people who take it over, and for `diff`. */
export function printForeign(context: Context, live: z.infer<typeof liveStateSchema>): string {
  const head = painter(context);
  return live.domains
    .map(({ domain, foreign, error }) => {
      if (foreign === null)
        return `${head("gray", `# ${domain}`)}: ${error === "" ? "its agent does not say" : plain(error)}\n`;
      const { blocks, left, unreadable } = foreign;
      return [
        `${head("gray", `# ${domain}`)}${blocks.length === 0 && unreadable.length === 0 ? ": nothing of others" : ""}\n`,
        ...blocks.map(({ source, title, text }) => {
          const where = head("gray", `## ${plain(source)}`);
          return text === null
            ? `${where}: ${plain(title)} … withheld, since it may hold a secret\n`
            : `${where}\n${text.split("\n").map(plain).join("\n")}${text.endsWith("\n") ? "" : "\n"}`;
        }),
        ...(left === 0 ? [] : [`${left} more: too large to be told\n`]),
        ...unreadable.map((why) => `could not be read: ${plain(why)}\n`),
      ].join("");
    })
    .join("\n");
}
