import type { TunnelActResponse } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Asked } from "../gateway/switchboard.ts";

/** How asking an agent to act went. `lost`: it may have been done. */
export type TunnelAsked =
  | { readonly kind: "answered"; readonly value: TunnelActResponse }
  | { readonly kind: "not_signed"; readonly code: string; readonly message: string }
  | { readonly kind: "lost"; readonly why: string };

/** The second time is for the answer alone. An agent that has forgotten the first one refuses the fence, which says nothing of what it did. */
export async function askTwice(ask: () => Promise<Asked<TunnelActResponse>>): Promise<TunnelAsked> {
  const first = await ask();
  if (first.kind === "answered") return first;
  const second = await ask();
  if (second.kind === "unreachable") return { kind: "lost", why: second.why };
  const isForgotten = second.value.findings[0]?.code === "guard.fence_stale";
  return isForgotten ? { kind: "lost", why: first.why } : second;
}
