import { Bullseye, Spinner } from "@patternfly/react-core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Unreachable } from "../api/client.ts";
import { useT } from "../i18n/language.ts";
import { ProblemAlert } from "../parts/problem-alert.tsx";

/** No spinner without a word. */
export function Waiting({ text }: { readonly text: string }): ReactNode {
  return (
    <Bullseye className="hf-waiting">
      <Spinner size="lg" aria-label={text} />
      <p role="status">{text}</p>
    </Bullseye>
  );
}

interface Props<Data> {
  readonly query: UseQueryResult<Data>;
  /** What is being read, for example "the servers". */
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}

/** What was read stays on screen when a later read fails. When nothing answers at all, the banner of the frame says so once for all. */
export function Loaded<Data>({ query, what, children }: Props<Data>): ReactNode {
  const t = useT();
  const retry = (): void => void query.refetch();
  if (query.data === undefined) {
    if (query.error !== null)
      return <ProblemAlert error={query.error} title={t("load.failed", { what })} onRetry={retry} reading />;
    return <Waiting text={t("load.waiting", { what })} />;
  }
  return (
    <>
      {query.error === null || query.error instanceof Unreachable ? null : (
        <ProblemAlert error={query.error} title={t("load.stale", { what })} onRetry={retry} reading />
      )}
      {children(query.data)}
    </>
  );
}
