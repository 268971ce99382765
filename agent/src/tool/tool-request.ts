import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { checkAsk } from "@holdfast/core/tool/check-ask.ts";
import { CAPTURE_PROTOCOLS, type ToolAsk } from "@holdfast/core/tool/tool.ts";
import type { ToolRequest } from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";

/** What is to be begun, parsed at the door; null: nothing, the request is about a run that is there. */
export function askOf({ begin }: Pick<ToolRequest, "begin">): Result<ToolAsk, string> | null {
  switch (begin.case) {
    case undefined:
      return null;
    case "ping":
      return withFamily(begin.value, (host, family) => ({ tool: "ping", host, family, count: begin.value.count }));
    case "trace":
      return withFamily(begin.value, (host, family) => ({ tool: "trace", host, family, hops: begin.value.hops }));
    case "resolve":
      return withFamily(begin.value, (host, family) => ({ tool: "resolve", host, family }));
    case "capture": {
      const { address, port, count, seconds } = begin.value;
      const protocol = CAPTURE_PROTOCOLS.find((one) => one === begin.value.protocol) ?? null;
      if (protocol === null && begin.value.protocol !== "")
        return err(`protocol: ${JSON.stringify(begin.value.protocol)} is none of ${CAPTURE_PROTOCOLS.join(", ")}`);
      return checkAsk({
        tool: "capture",
        interface: begin.value.interface,
        address: address === "" ? null : address,
        port: port === 0 ? null : port,
        protocol,
        count,
        seconds,
      });
    }
  }
}

function withFamily(
  { host, family }: { readonly host: string; readonly family: number },
  make: (host: string, family: 4 | 6 | null) => ToolAsk,
): Result<ToolAsk, string> {
  const known = ([4, 6] as const).find((one) => one === family) ?? null;
  if (known === null && family !== 0) return err(`family: ${family} is neither 4 nor 6`);
  const checked = checkAsk(make(host, known));
  return checked.ok ? ok(checked.value) : checked;
}
