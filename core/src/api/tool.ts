import { z } from "zod";
import { checkAsk } from "../tool/check-ask.ts";
import { ANY_INTERFACE, BOUNDS, CAPTURE_PROTOCOLS, TOOL_OUTCOMES, TOOLS } from "../tool/tool.ts";

const bounded = ({ usual, most }: { readonly usual: number; readonly most: number }) =>
  z.int().min(1).max(most).default(usual);
const host = z.string().min(1).max(253).describe("A literal address or a name; the server looks it up");
const family = z
  .union([z.literal(4), z.literal(6)])
  .nullable()
  .default(null)
  .describe("null: whichever the server takes");

/** What a server is to look for. There is no field for options, a filter or a command: what is asked for is this and nothing else. */
export const toolAskSchema = z
  .discriminatedUnion("tool", [
    z.strictObject({ tool: z.literal("ping"), host, family, count: bounded(BOUNDS.pings).describe("One a second") }),
    z.strictObject({ tool: z.literal("trace"), host, family, hops: bounded(BOUNDS.hops) }),
    z.strictObject({
      tool: z.literal("resolve"),
      host: host.describe("A name, or an address whose name is looked for"),
      family,
    }),
    z.strictObject({
      tool: z.literal("capture"),
      interface: z.string().min(1).max(15).default(ANY_INTERFACE).describe("Of the server; any: all of them"),
      address: z.string().min(1).max(45).nullable().default(null).describe("A literal address, at either end"),
      port: z.int().min(1).max(65_535).nullable().default(null).describe("At either end"),
      protocol: z.enum(CAPTURE_PROTOCOLS).nullable().default(null),
      count: bounded(BOUNDS.packets),
      seconds: bounded(BOUNDS.seconds),
    }),
  ])
  .superRefine((ask, context) => {
    const checked = checkAsk(ask);
    if (!checked.ok) context.addIssue({ code: "custom", message: checked.error });
  });

/** Which tools a server has now. */
export const toolsSchema = z.object({
  tools: z.array(
    z.object({
      tool: z.enum(TOOLS),
      available: z.boolean(),
      code: z.string().nullable().describe("Why not, as the API would refuse it"),
      reason: z.string().nullable().describe("What to do about it"),
    }),
  ),
});
export type ToolOffer = z.infer<typeof toolsSchema>["tools"][number];

/** `lost`: whether it came to an end is not known; the server ends it by itself when nobody asks. */
export const TOOL_ENDINGS = [...TOOL_OUTCOMES, "lost"] as const;
export type ToolEnding = (typeof TOOL_ENDINGS)[number];

/** The events of the stream by name. What has another name is for a newer client. */
export const TOOL_EVENTS = {
  begun: z.object({ id: z.string().describe("By which logs and audit log name it"), tool: z.enum(TOOLS) }),
  /** Of ping, trace and resolve. */
  output: z.object({ text: z.string() }),
  /** Of a capture. */
  packets: z.object({
    linkType: z.int().describe("As in a pcap file"),
    packets: z.array(
      z.object({
        seconds: z.int().describe("By the server's own clock"),
        micros: z.int(),
        length: z.int().describe("Bytes on the wire"),
        headers: z.base64().describe("Its headers; what it carries never leaves the server"),
      }),
    ),
  }),
  /** The server cannot be asked for a moment; the stream goes on by itself. */
  lost: z.object({ why: z.string() }),
  /** Nothing more comes. */
  ended: z.object({ outcome: z.enum(TOOL_ENDINGS), message: z.string() }),
};
