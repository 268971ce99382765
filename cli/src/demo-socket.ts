import http from "node:http";
import path from "node:path";
import { z } from "zod";
import { CliError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

/** One fetch of the demo's client from web-1. */
const fetchSchema = z.object({ atMs: z.number(), ok: z.boolean() });

export const demoStatusSchema = z.object({
  url: z.string(),
  token: z.string(),
  server: z.string(),
  /** The two mistakes of the five-minute story, as documents. */
  acts: z.array(z.object({ title: z.string(), story: z.string(), text: z.string(), killControlPlane: z.boolean() })),
});
export type DemoStatus = z.infer<typeof demoStatusSchema>;

export const demoClientSchema = z.object({ fetches: z.array(fetchSchema) });

/** Speaks to the running demo (`make up`) over its unix socket, which only its owner may open. */
export async function askDemo<Schema extends z.ZodType>(
  context: Context,
  method: "GET" | "POST",
  target: string,
  answer: Schema,
): Promise<z.infer<Schema>> {
  const socketPath = path.join(
    context.env["HOLDFAST_DATA_DIR"] ?? path.resolve(import.meta.dirname, "../../.holdfast"),
    "demo",
    "demo.sock",
  );
  const body = await new Promise<string>((resolve, reject) => {
    const request = http.request({ socketPath, method, path: target }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  }).catch((cause: unknown) => {
    throw new CliError(
      EXIT.unreachable,
      "demo.not_running",
      `The demo is not running here (${cause instanceof Error ? cause.message : String(cause)}).`,
      "Start it with: make up",
    );
  });
  return answer.parse(JSON.parse(body));
}
