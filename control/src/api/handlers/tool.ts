import type { toolsSchema } from "@holdfast/core/api/tool.ts";
import { checkAsk } from "@holdfast/core/tool/check-ask.ts";
import { TOOLS } from "@holdfast/core/tool/tool.ts";
import type { DescribeToolsResponse } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import type { z } from "zod";
import type { House } from "../../house.ts";
import { reachByName } from "../../planning/places.ts";
import type { Handlers } from "../handler.ts";
import { short } from "../outside-text.ts";
import { refuse } from "../refused.ts";
import { mayUse, problemOf, type ToolStreams } from "../tool-stream.ts";

export function toolHandlers(house: House, tools: ToolStreams): Pick<Handlers, "listTools" | "useTool"> {
  return {
    async listTools({ caller, params }) {
      const place = await reachByName(house, caller, "probe", params.name);
      const asked = await house.agents.tools(place.id);
      if (asked.kind === "unreachable")
        refuse("server.unreachable", `${place.name} cannot be asked now: ${short(asked.why)}.`);
      return { value: offers(asked.value) };
    },

    async useTool({ caller, params, body, reply }) {
      const place = await reachByName(house, caller, "probe", params.name);
      if (!mayUse(caller.grants, place, body))
        refuse(
          "access.out_of_scope",
          `A capture shows who speaks with whom: you do not have the permission watch on the firewall of ${place.name}.`,
        );
      const ask = checkAsk(body);
      if (!ask.ok) refuse("request.invalid", ask.error);
      await tools.open(caller, place, ask.value, reply);
      return { value: undefined };
    },
  };
}

/** Each of ours, whatever a server says of others; one that it does not name it does not have. */
function offers({ tools }: DescribeToolsResponse): z.input<typeof toolsSchema> {
  return {
    tools: TOOLS.map((tool) => {
      const said = tools.find((one) => one.tool === tool);
      if (said?.available === true) return { tool, available: true, code: null, reason: null };
      return {
        tool,
        available: false,
        code: problemOf(said?.reasonCode ?? "tools.unsupported"),
        reason: said === undefined ? "this agent does not know it: upgrade it" : short(said.reason),
      };
    }),
  };
}
