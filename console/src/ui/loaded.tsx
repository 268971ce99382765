import { Bullseye, Spinner } from "@patternfly/react-core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
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

/** What was read stays on screen when a later read fails; the stale mark says how old it is. */
export function Loaded<Data>({ query, what, children }: Props<Data>): ReactNode {
  const t = useT();
  const retry = (): void => void query.refetch();
  if (query.data === undefined) {
    if (query.error !== null) return <ProblemAlert error={query.error} title={t("load.failed", { what })} onRetry={retry} />;
    return <Waiting text={t("load.waiting", { what })} />;
  }
  return (
    <>
      {query.error === null ? null : <ProblemAlert error={query.error} title={t("load.stale", { what })} onRetry={retry} />}
      {children(query.data)}
    </>
  );
}
