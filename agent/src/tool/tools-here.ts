import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Tool, TOOLS } from "@holdfast/core/tool/tool.ts";
import type { ToolCapabilitySchema } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import { findProgram, mayPing } from "../os/tool-process.ts";
import { PROGRAMS } from "./tool-command.ts";

type Capability = MessageInitShape<typeof ToolCapabilitySchema>;

/** @param noCapture why nothing can be captured here, null where it can */
export function toolsHere(noCapture: string | null, find = findProgram, isPingAllowed = mayPing): Capability[] {
  return TOOLS.map((tool) => {
    const reason = whyNot(tool, noCapture, find, isPingAllowed);
    return { tool, available: reason === null, reasonCode: reason?.code ?? "", reason: reason?.words ?? "" };
  });
}

function whyNot(
  tool: Tool,
  noCapture: string | null,
  find: typeof findProgram,
  isPingAllowed: typeof mayPing,
): { readonly code: string; readonly words: string } | null {
  const { paths, package: name } = PROGRAMS[tool];
  if (find(paths) === null)
    return { code: "tools.missing_program", words: `it has no ${paths[0]}: install the package ${name}` };
  if (tool === "ping" && !isPingAllowed())
    return {
      code: "tools.not_permitted",
      words: "its kernel lets nobody but root send a ping: widen net.ipv4.ping_group_range",
    };
  if (tool === "capture" && noCapture !== null) return { code: "tools.unsupported", words: noCapture };
  return null;
}
