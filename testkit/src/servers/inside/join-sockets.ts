import { connect, type Socket } from "node:net";

export type SocketTarget = { readonly path: string } | { readonly host: string; readonly port: number };

/** Passes bytes both ways until either side ends; a side that breaks takes the other down with it. */
export function joinTo(accepted: Socket, target: SocketTarget): void {
  const onward = connect({ ...target, allowHalfOpen: true });
  for (const socket of [accepted, onward]) socket.setNoDelay(true);
  accepted.pipe(onward).pipe(accepted);
  const breakBoth = (): void => {
    accepted.destroy();
    onward.destroy();
  };
  for (const socket of [accepted, onward])
    socket.on("error", breakBoth).on("close", (hadError) => hadError && breakBoth());
}
