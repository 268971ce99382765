import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { TransactionState } from "@holdfast/core/ledger/record.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { TunnelOutcome } from "@holdfast/core/plan/tunnel-act.ts";
import { openedFirst } from "@holdfast/domains/vpn/act.ts";
import type { Command, TunnelCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { type TunnelActResponse, TunnelActResponseSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { reasonOf } from "../log/log.ts";
import { NO_MANAGEMENT_PATH, readLocalFloor, unitePaths } from "../management-path.ts";
import { findingMessage } from "../module/finding-message.ts";
import type { GuardContext } from "./context.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { confirmedConfig } from "./planning.ts";

/** An act on a tunnel, from the guard to the vpn module: the guard knows what is confirmed and what the server's own floor protects. */

/** What it would cut and open. */
export function askAboutTunnel(context: GuardContext, wish: TunnelCommand): Promise<TunnelActResponse> {
  return ask(context, wish, "", true);
}

/** The command is verified and its fence is on the disk. Every outcome is an answer: what an exception would leave open is said in words. */
export async function actOnTunnel(
  context: GuardContext,
  { requestId, actor }: Command,
  wish: TunnelCommand,
): Promise<TunnelActResponse> {
  const answer = await ask(context, wish, requestId, false);
  const code = answer.findings[0]?.code ?? "ok";
  const resultCode = answer.outcome === "refused" || answer.outcome === "failed" ? code : "ok";
  const more = { tunnel: wish.tunnel, act: wish.act, of: wish.of, outcome: answer.outcome };
  context.log.info("act on a tunnel", { requestId, actor, domain: "vpn", resultCode }, more);
  return answer;
}

export function refusedWhileOpen(wish: TunnelCommand, open: TransactionState): TunnelActResponse {
  return answered("refused", openedFirst(wish.tunnel, open));
}

async function ask(
  context: GuardContext,
  wish: TunnelCommand,
  requestId: string,
  preview: boolean,
): Promise<TunnelActResponse> {
  const confirmed = confirmedConfig(context);
  if (!confirmed.ok) return answered("refused", guardFinding("guard.config_unreadable", confirmed.error));
  const floor = readLocalFloor(context.paths.floor);
  if (!floor.ok) return answered("refused", guardFinding("guard.floor_unreadable", floor.error));
  if (!context.modules.available.includes("vpn"))
    return answered("refused", guardFinding("module.unavailable", "This agent has no vpn module."));
  const configJson = confirmed.value?.textOf("vpn") ?? "null";
  try {
    const module = await context.modules.of("vpn");
    const told = (path: ManagementPath, onlyAsked: boolean): Promise<TunnelActResponse> =>
      module.actOnTunnel(
        {
          act: wish,
          requestId,
          configJson,
          managementPathJson: canonicalJson(path as unknown as Json),
          preview: onlyAsked,
        },
        { timeoutMs: MODULE_READ_TIMEOUT_MS },
      );
    if (floor.value.controlPlane.length > 0 || floor.value.inbound.length > 0) {
      const alone = await told(floor.value, true);
      const cut = alone.findings.find(({ code }) => code === CUTS_MANAGEMENT);
      if (cut !== undefined)
        return answered("refused", {
          severity: "error",
          code: "vpn.local_floor_cut",
          path: cut.path,
          message: cut.message,
          remedy:
            "The server's own floor (/etc/holdfast/floor.json) protects this. Only somebody on the server can do it, or change that file.",
        });
    }
    return await told(unitePaths(confirmed.value?.managementPath ?? NO_MANAGEMENT_PATH, floor.value), preview);
  } catch (error) {
    return failure(error, preview);
  }
}

const CUTS_MANAGEMENT = "vpn.act_cuts_management";

/** A module that died, or was too slow, may have told charon before. */
function failure(error: unknown, preview: boolean): TunnelActResponse {
  const from = ConnectError.from(error, Code.Unavailable);
  const isRefusal = from.code === Code.InvalidArgument || from.code === Code.Unimplemented;
  const words = `The vpn module does not say what came of it: ${reasonOf(error)}.`;
  return answered(
    preview || isRefusal ? "refused" : "failed",
    guardFinding(isRefusal ? "module.act_unknown" : "module.unavailable", words),
  );
}

const REMEDY = {
  "guard.config_unreadable": "Look at the server: holdfast-agent status. Nothing was done.",
  "guard.floor_unreadable": "Mend /etc/holdfast/floor.json on the server. Nothing was done.",
  "module.unavailable": "Look at the tunnel as it is now, and at the log of the vpn module on the server.",
  "module.act_unknown": "Upgrade the agent. Nothing was done.",
} as const;

function guardFinding(code: keyof typeof REMEDY, message: string): Finding {
  return { severity: "error", code, path: "vpn", message, remedy: REMEDY[code] };
}

function answered(outcome: TunnelOutcome, finding: Finding): TunnelActResponse {
  return create(TunnelActResponseSchema, { outcome, findings: [findingMessage(finding)] });
}
