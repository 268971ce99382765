import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from "@patternfly/react-core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";

export function NotFoundPage(): ReactNode {
  const t = useT();
  return (
    <EmptyState titleText={t("notFound.title")} headingLevel="h1">
      <EmptyStateBody>{t("notFound.body")}</EmptyStateBody>
      <EmptyStateFooter>
        <AppLink to={paths.overview()}>{t("nav.overview")}</AppLink>
      </EmptyStateFooter>
    </EmptyState>
  );
}

/** A fault of the console itself. What was being written is kept in the browser. */
export function CrashPage({ error }: ErrorComponentProps): ReactNode {
  const t = useT();
  return (
    <EmptyState titleText={t("crash.title")} headingLevel="h1" status="danger">
      <EmptyStateBody>
        <p>{t("crash.body")}</p>
        <code>{error instanceof Error ? error.message : String(error)}</code>
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button onClick={() => window.location.reload()}>{t("crash.reload")}</Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
