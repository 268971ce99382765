import type { MessageInitShape } from "@bufbuild/protobuf";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import { TUNNEL_PARTS, TUNNEL_VERBS } from "@holdfast/core/plan/tunnel-act.ts";
import { openedFirst } from "@holdfast/domains/vpn/act.ts";
import type { ModuleTunnelActRequest } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import type { TunnelActResponseSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { runAbout } from "../log/about.ts";
import type { Log } from "../log/log.ts";
import { toConnectError } from "../rpc/refusal.ts";
import type { TunnelActed, TunnelActWish } from "./domain-hands.ts";
import { findingMessage } from "./finding-message.ts";

type Wish = Pick<TunnelActWish, "config" | "managementPath">;

/**
 * An operator's act on a tunnel. The ledger's lock is held from the look at it until charon has answered: no step of a transaction comes between,
 * and no undo waits for it, since none can be due while no transaction is open.
 */
export function serveTunnelAct(options: {
  readonly act: (wish: TunnelActWish) => Promise<TunnelActed>;
  readonly ledger: Ledger;
  readonly log: Log;
  /** @throws ConnectError where the texts are no config and no management path */
  readonly read: (request: ModuleTunnelActRequest) => Wish;
}): (request: ModuleTunnelActRequest) => Promise<MessageInitShape<typeof TunnelActResponseSchema>> {
  const { act, ledger, log, read } = options;

  const wishOf = (request: ModuleTunnelActRequest): TunnelActWish => {
    const verb = TUNNEL_VERBS.find((known) => known === request.act?.act);
    const of = TUNNEL_PARTS.find((known) => known === request.act?.of);
    if (request.act === undefined || verb === undefined || of === undefined)
      throw toConnectError({ code: "module.config_invalid", message: "act: it is none that is known here" });
    const { tunnel, acknowledged } = request.act;
    return { act: { tunnel, verb, of }, acknowledged, preview: request.preview, ...read(request) };
  };

  return async (request) => {
    const wish = wishOf(request);
    const { act: asked, preview } = wish;
    if (preview) return message(await act(wish));
    return runAbout({ requestId: request.requestId, domain: "vpn" }, () =>
      ledger.exclusively(async ({ state }) => {
        const open = openTransaction(state);
        if (open !== null) return message({ outcome: "refused", findings: [openedFirst(asked.tunnel, open)] });
        const acted = await act(wish);
        const resultCode = acted.outcome === "failed" || acted.outcome === "refused" ? codeOf(acted) : "ok";
        const about = { requestId: request.requestId, domain: "vpn", resultCode };
        log.info(`tunnel ${asked.verb}: ${acted.outcome}`, about, { tunnel: asked.tunnel, of: asked.of });
        return message(acted);
      }),
    );
  };
}

function codeOf({ findings }: TunnelActed): string {
  return findings[0]?.code ?? "vpn.act_failed";
}

function message({ outcome, findings }: TunnelActed): MessageInitShape<typeof TunnelActResponseSchema> {
  return { outcome, findings: findings.map(findingMessage) };
}
