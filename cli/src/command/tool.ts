import { toolsSchema } from "@holdfast/core/api/tool.ts";
import { ANY_INTERFACE, BOUNDS, CAPTURE_PROTOCOLS, type CaptureProtocol } from "@holdfast/core/tool/tool.ts";
import { buildCommand, buildRouteMap, type Command } from "@stricli/core";
import type { Context } from "../context.ts";
import { JSON_FLAG, verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { wholeNumber } from "../whole-number.ts";
import { type AskedTool, runTool } from "./tool-run.ts";

interface HostFlags {
  readonly family?: "4" | "6";
  readonly count?: number;
  readonly hops?: number;
  readonly json: boolean;
}

const SERVER = { brief: "Name of the server that looks", parse: String, placeholder: "server" } as const;
const HOST = { brief: "An address, or a name that the server looks up", parse: String, placeholder: "host" } as const;
const FAMILY = {
  kind: "enum",
  values: ["4", "6"],
  brief: "Only IPv4 or only IPv6; without it whichever the server takes",
  optional: true,
} as const;
const ENDS =
  "Needs the permission probe, and that you did it stands in the audit log. Ctrl-C ends it on the server too.";

function hostTool(
  tool: "ping" | "trace" | "resolve",
  brief: string,
  more: string,
  ask: (flags: HostFlags) => Partial<AskedTool>,
): Command<Context> {
  const bound = tool === "ping" ? BOUNDS.pings : BOUNDS.hops;
  const number = {
    kind: "parsed",
    parse: wholeNumber(1, bound.most),
    brief: `${tool === "ping" ? "One a second" : "The longest way that is looked for"}; ${bound.usual} without it, ${bound.most} at most`,
    optional: true,
  } as const;
  const hidden = { ...number, hidden: true } as const;
  return buildCommand<HostFlags, [string, string], Context>({
    docs: {
      brief,
      fullDescription: `${brief}.\n${more}\n${ENDS}\n\nExample: holdfast tool ${tool} web-1 example.org`,
    },
    parameters: {
      flags: {
        family: FAMILY,
        count: tool === "ping" ? number : hidden,
        hops: tool === "trace" ? number : hidden,
        json: JSON_FLAG,
      },
      positional: { kind: "tuple", parameters: [SERVER, HOST] },
    },
    async func(flags, server, host) {
      const family = flags.family === undefined ? {} : { family: flags.family === "4" ? 4 : 6 };
      await runTool(this, server, { tool, host, ...family, ...ask(flags) }, { json: flags.json });
    },
  });
}

interface CaptureFlags {
  readonly interface: string;
  readonly address?: string;
  readonly port?: number;
  readonly protocol?: CaptureProtocol;
  readonly count?: number;
  readonly seconds?: number;
  readonly out?: string;
  readonly json: boolean;
}

const capture = buildCommand<CaptureFlags, [string], Context>({
  docs: {
    brief: "Headers of packets that pass an interface of a server, for a while",
    fullDescription:
      "Headers of packets that pass an interface of a server, for a while.\n" +
      "What a packet carries is cut off on the server; whoever needs it captures there. All that is given must fit. The session of the agent itself passes too: leave it out by an address or a port.\n" +
      `${ENDS.replace("probe,", "probe, and watch on its firewall,")} A file is written when it has ended.\n\n` +
      "Example: holdfast tool capture web-1 --interface eth0 --protocol tcp --port 443 --out web.pcap",
  },
  parameters: {
    flags: {
      interface: { kind: "parsed", parse: String, brief: "Its name; any: all of them", default: ANY_INTERFACE },
      address: { kind: "parsed", parse: String, brief: "An address, at either end", optional: true },
      port: { kind: "parsed", parse: wholeNumber(1, 65_535), brief: "A port, at either end", optional: true },
      protocol: { kind: "enum", values: CAPTURE_PROTOCOLS, brief: "Only this", optional: true },
      count: {
        kind: "parsed",
        parse: wholeNumber(1, BOUNDS.packets.most),
        brief: `End after so many packets; ${BOUNDS.packets.usual} without it, ${BOUNDS.packets.most} at most`,
        optional: true,
      },
      seconds: {
        kind: "parsed",
        parse: wholeNumber(1, BOUNDS.seconds.most),
        brief: `End after so long; ${BOUNDS.seconds.usual} without it, ${BOUNDS.seconds.most} at most`,
        optional: true,
      },
      out: {
        kind: "parsed",
        parse: String,
        brief: "Write a pcap file here, for other programs; it must not be there yet",
        optional: true,
      },
      json: { kind: "boolean", brief: "For machines: each packet as one line of JSON", default: false },
    },
    positional: { kind: "tuple", parameters: [SERVER] },
  },
  async func({ out, json, ...ask }, server) {
    await runTool(this, server, { tool: "capture", ...ask }, { json, ...(out === undefined ? {} : { out }) });
  },
});

const list = verb({
  brief: "Which tools a server has now, and why not",
  example: "tool list web-1",
  operands: ["server"],
  run: async (client, [name = ""]) => {
    const value = await client.call("listTools", { params: { name }, answer: toolsSchema });
    return {
      value,
      text: (context) =>
        table(
          context,
          ["Tool", "Is", "Why"],
          value.tools.map(({ tool, available, code, reason }) => [
            tool,
            available ? "there" : "not there",
            available ? "" : plain(`${code ?? ""}: ${reason ?? ""}`),
          ]),
          "None.",
        ),
    };
  },
});

export const toolRoutes = buildRouteMap({
  routes: {
    list,
    ping: hostTool("ping", "Whether a host answers a server", "Echo requests, one a second.", ({ count }) =>
      count === undefined ? {} : { count },
    ),
    trace: hostTool(
      "trace",
      "By which way a server reaches a host",
      "And how large packets may be on it.",
      ({ hops }) => (hops === undefined ? {} : { hops }),
    ),
    resolve: hostTool(
      "resolve",
      "What a name means on a server, or an address",
      "As its programs see it: its hosts file, then its resolvers.",
      () => ({}),
    ),
    capture,
  },
  docs: { brief: "Look from a server: ping, trace, resolve, capture" },
});
