import { create, type MessageShape } from "@bufbuild/protobuf";
import { TOOLS } from "@holdfast/core/tool/tool.ts";
import {
  type DescribeToolsResponse,
  DescribeToolsResponseSchema,
  type ToolResponse,
  ToolResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { unlessTooOld } from "./unless-too-old.ts";

const TOO_OLD = {
  code: "tools.agent_too_old",
  words: "this agent is from before there were tools: upgrade it",
} as const;

export function describedTools(
  asked: Promise<DescribeToolsResponse>,
): Promise<MessageShape<typeof DescribeToolsResponseSchema>> {
  return unlessTooOld(asked, () =>
    create(DescribeToolsResponseSchema, {
      tools: TOOLS.map((tool) => ({ tool, available: false, reasonCode: TOO_OLD.code, reason: TOO_OLD.words })),
    }),
  );
}

export function toolAnswer(asked: Promise<ToolResponse>): Promise<MessageShape<typeof ToolResponseSchema>> {
  return unlessTooOld(asked, () =>
    create(ToolResponseSchema, { refusedCode: TOO_OLD.code, refusedMessage: TOO_OLD.words }),
  );
}
