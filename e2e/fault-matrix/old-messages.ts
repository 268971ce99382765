import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { connectUnix } from "@holdfast/agent/os/sockets.ts";
import { clientOver } from "@holdfast/agent/rpc/http2-transport.ts";
import { COMMAND_LIFE_MS, openCommandKey } from "@holdfast/control/signer/command-key.ts";
import { sql } from "@holdfast/control/store/sql.ts";
import type { Command } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { Stage } from "./stage.ts";

interface SentRow {
  readonly request_id: string;
  readonly server_id: string;
  readonly change_id: string;
  readonly fence: number;
  readonly nonce: string;
}

/**
 * Brings every command of a finished apply to the guard once more, properly signed, in the wrong order, with its own fence and with an older
 * one: as a breached session could, or a network that remembers. The caller looks at what it has changed, which must be nothing.
 */
export async function sendAgain(stage: Stage, applyId: string): Promise<void> {
  const sent = await stage.house.database.one<SentRow>(
    sql`select t.request_id, t.server_id, a.change_id, t.fence, t.nonce from host_transactions t join applies a on a.id = t.apply_id where t.apply_id = ${applyId}`,
  );
  const commands = await openCommandKey(join(stage.house.dataOf(0), "signer"));
  const socket = await connectUnix(`/proc/${String(stage.server.machine.initPid)}/root/run/holdfast/guard.sock`);
  if (socket === null) throw new Error(`the guard of ${stage.server.name} does not listen`);
  const connection = clientOver(socket);
  const guard = createClient(GuardService, connection.transport);
  try {
    for (const fence of [sent.fence, sent.fence - 1]) {
      for (const verb of verbs(sent.nonce)) {
        const command = commands.sign({
          serverId: sent.server_id,
          requestId: sent.request_id,
          fence: BigInt(fence),
          expiresAtMs: BigInt(Date.now() + COMMAND_LIFE_MS),
          applyId,
          changeId: sent.change_id,
          actor: "user/nobody",
          verb,
        });
        const sessionMonotonicNs = process.hrtime.bigint();
        // A refusal is as good an answer as the recorded outcome; what counts is the server afterwards.
        await guard.submit({ command, sessionMonotonicNs }).catch(() => undefined);
      }
    }
  } finally {
    connection.close();
  }
}

/** The reverse of the order in which they make sense. */
function verbs(nonce: string): readonly Command["verb"][] {
  return [
    { case: "abort", value: { $typeName: "holdfast.v1.AbortCommand", code: "test.again", message: "once more" } },
    { case: "confirm", value: { $typeName: "holdfast.v1.ConfirmCommand", nonce } },
    { case: "execute", value: { $typeName: "holdfast.v1.ExecuteCommand", nonce } },
  ];
}
