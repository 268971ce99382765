import type { Transport } from "@connectrpc/connect";
import { type ConnectionClient, wasNotTaken } from "./http2-transport.ts";

/**
 * A transport over whatever connection is open when a call is made. A process that leaves because nobody called (idle.ts) refuses what comes at that
 * very moment and does nothing of it: such a call is made once more, over a new connection.
 */
export function reopening(connection: () => Promise<ConnectionClient>): Transport {
  return {
    unary: async (...call) => {
      const first = await connection();
      try {
        return await first.transport.unary(...call);
      } catch (error) {
        if (!wasNotTaken(error)) throw error;
        // Others may still wait for answers on it.
        first.retire();
        return (await connection()).transport.unary(...call);
      }
    },
    // What is said on a stream comes bit by bit and is gone: whoever began it begins it anew.
    stream: async (...call) => (await connection()).transport.stream(...call),
  };
}
