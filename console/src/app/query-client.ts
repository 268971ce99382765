import { QueryClient } from "@tanstack/react-query";
import { Refused } from "../api/client.ts";

/** A refusal is an answer; only silence is asked again, and briefly, because the stale mark already says it. */
const RETRIES = 1;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A browser that thinks it is offline is often wrong on a loopback or management network: always ask.
      networkMode: "always",
      retry: (count, error) => !(error instanceof Refused) && count < RETRIES,
      retryDelay: 500,
      staleTime: 1000,
      refetchOnWindowFocus: true,
    },
    mutations: { networkMode: "always", retry: false },
  },
});
