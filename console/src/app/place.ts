import { type RouterHistory, useParams, useRouter } from "@tanstack/react-router";
import { useMemo } from "react";

/** Where the page is and how to get elsewhere. Every address comes from paths.ts. */
export interface Place {
  /** Path and query of now. */
  here(): string;
  go(to: string): void;
  /** Without a step that Back would lead to. */
  replace(to: string): void;
  back(): void;
}

export function usePlace(): Place {
  const router = useRouter();
  // The router's own type depends on a registered route tree, which paths.ts stands for here.
  const history = router.history as RouterHistory;
  return useMemo(
    () => ({
      here: () => history.location.href,
      go: (to) => history.push(to),
      replace: (to) => history.replace(to),
      back: () => history.back(),
    }),
    [history],
  );
}

/** A part of the address that the page's pattern names. */
export function useAddressPart(name: "id" | "kind" | "name"): string {
  const params: Readonly<Record<string, string | undefined>> = useParams({ strict: false });
  return params[name] ?? "";
}
