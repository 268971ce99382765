import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { SEVERITIES } from "@holdfast/core/base/finding.ts";
import type { RequestId, ServerId } from "@holdfast/core/base/id.ts";
import type { LacksByDomain } from "@holdfast/core/capability/lack.ts";
import type { TunnelAct } from "@holdfast/core/plan/tunnel-act.ts";
import type { Tool } from "@holdfast/core/tool/tool.ts";
import { SignedCommandSchema, TunnelCommandSchema } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import {
  type GetStateResponse,
  GetStateResponseSchema,
  PlanRequestSchema,
  type PlanResponse,
  PlanResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import {
  ReadPacketsRequestSchema,
  type ReadPacketsResponse,
  ReadPacketsResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import {
  DescribeToolsRequestSchema,
  type DescribeToolsResponse,
  DescribeToolsResponseSchema,
  ToolRequestSchema,
  type ToolResponse,
  ToolResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import {
  type FindingMessage,
  type TunnelActResponse,
  TunnelActResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { type Asked, LACKS_QUESTION, STATE_QUESTION, type Switchboard } from "../gateway/switchboard.ts";
import { toldLacks } from "../gateway/told-lacks.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import { newId } from "../store/new-id.ts";
import type { TunnelActRow } from "../store/tables.ts";
import { askTwice, type TunnelAsked } from "./ask-twice.ts";

export interface AskAgent {
  plan(serverId: ServerId, config: { readonly json: string; readonly digest: string }): Promise<Asked<PlanResponse>>;
  state(serverId: ServerId): Promise<Asked<GetStateResponse>>;
  /** What it cannot do, now. */
  lacks(serverId: ServerId): Promise<Asked<LacksByDomain>>;
  /** Packets after this one; asking is what keeps the server looking. */
  packets(
    serverId: ServerId,
    from: { readonly watchId: string; readonly after: bigint },
  ): Promise<Asked<ReadPacketsResponse>>;
  /** Which tools there are now. */
  tools(serverId: ServerId): Promise<Asked<DescribeToolsResponse>>;
  /** Begins a run of a tool, or asks on; asking is what keeps it running. */
  tool(
    serverId: ServerId,
    tool: Tool,
    request: MessageInitShape<typeof ToolRequestSchema>,
  ): Promise<Asked<ToolResponse>>;
  /** A person has looked: the server's own lock ends. */
  release(serverId: ServerId, fence: number, reason: string, actor: string): Promise<Asked<null>>;
  /** What an act on a tunnel would cut and open. */
  previewTunnel(serverId: ServerId, act: TunnelAct): Promise<Asked<TunnelActResponse>>;
  /** The act that the row says. */
  tunnel(serverId: ServerId, row: Pick<TunnelActRow, "id" | "fence">): Promise<TunnelAsked>;
}

export function askAgent(switchboard: Switchboard, commands: CommandSigner): AskAgent {
  return {
    async plan(serverId, config) {
      const request = create(PlanRequestSchema, { configJson: config.json, configDigest: config.digest });
      const asked = await switchboard.ask(serverId, "plan", toBinary(PlanRequestSchema, request));
      return read(asked, (bytes) => fromBinary(PlanResponseSchema, bytes));
    },
    async state(serverId) {
      const asked = await switchboard.ask(serverId, "state", STATE_QUESTION);
      return read(asked, (bytes) => fromBinary(GetStateResponseSchema, bytes));
    },
    async lacks(serverId) {
      const asked = await switchboard.ask(serverId, "state", LACKS_QUESTION);
      return read(asked, (bytes) => toldLacks(fromBinary(GetStateResponseSchema, bytes).domains));
    },
    async packets(serverId, from) {
      const request = toBinary(ReadPacketsRequestSchema, create(ReadPacketsRequestSchema, from));
      return read(await switchboard.ask(serverId, "packets", request), (bytes) =>
        fromBinary(ReadPacketsResponseSchema, bytes),
      );
    },
    async tools(serverId) {
      const request = toBinary(DescribeToolsRequestSchema, create(DescribeToolsRequestSchema, {}));
      return read(await switchboard.ask(serverId, "tools", request), (bytes) =>
        fromBinary(DescribeToolsResponseSchema, bytes),
      );
    },
    async tool(serverId, tool, asked) {
      const request = toBinary(ToolRequestSchema, create(ToolRequestSchema, asked));
      return read(await switchboard.ask(serverId, tool === "capture" ? "capture" : "tool", request), (bytes) =>
        fromBinary(ToolResponseSchema, bytes),
      );
    },
    async release(serverId, fence, reason, actor) {
      const requestId = newId<RequestId>();
      const signed = await commands.sign({ ask: "release", serverId, requestId, fence, reason, actor });
      if (signed.kind !== "signed") return { kind: "unreachable", why: `${signed.code}: ${signed.message}` };
      const asked = await switchboard.ask(serverId, "release", toBinary(SignedCommandSchema, signed.command));
      return read(asked, () => null);
    },
    async previewTunnel(serverId, { tunnel, verb, of }) {
      const request = create(TunnelCommandSchema, { tunnel, act: verb, of, acknowledged: [] });
      const asked = await switchboard.ask(serverId, "tunnel_preview", toBinary(TunnelCommandSchema, request));
      return read(asked, (bytes) => fromBinary(TunnelActResponseSchema, bytes));
    },
    async tunnel(serverId, { id: requestId, fence }) {
      const signed = await commands.sign({ ask: "tunnel", serverId, requestId, fence });
      if (signed.kind !== "signed") return { kind: "not_signed", code: signed.code, message: signed.message };
      const command = toBinary(SignedCommandSchema, signed.command);
      return askTwice(async () =>
        read(await switchboard.ask(serverId, "tunnel", command), (bytes) => fromBinary(TunnelActResponseSchema, bytes)),
      );
    },
  };
}

function read<T>(asked: Asked<Uint8Array>, parse: (bytes: Uint8Array) => T): Asked<T> {
  return asked.kind === "answered" ? { kind: "answered", value: parse(asked.value) } : asked;
}

/** A severity that this version does not know counts as danger: a person looks at it. */
export function readFinding(message: FindingMessage): Finding {
  const severity = SEVERITIES.find((word) => word === message.severity) ?? "danger";
  return { severity, code: message.code, path: message.path, message: message.message, remedy: message.remedy };
}
