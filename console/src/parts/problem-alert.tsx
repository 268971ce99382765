import { Alert, AlertActionLink, Content } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Refused, Unreachable } from "../api/client.ts";
import { useT } from "../i18n/language.ts";
import { CopyText } from "../ui/copy-text.tsx";
import type { FindingLike } from "./finding-key.ts";
import { FindingList } from "./findings.tsx";

interface Props {
  readonly error: Error | null;
  /** What was tried, for example "The change was not applied". */
  readonly title: string;
  readonly onRetry?: () => void;
  /** Something was only read: without an answer nothing can have been done. */
  readonly reading?: boolean;
  readonly onGo?: (finding: FindingLike) => void;
  readonly children?: ReactNode;
}

/** What went wrong, why, what to do, and what to quote when asking for help. */
export function ProblemAlert({ error, title, onRetry, reading = false, onGo, children }: Props): ReactNode {
  const t = useT();
  if (error === null) return null;
  const retry =
    onRetry === undefined
      ? {}
      : { actionLinks: <AlertActionLink onClick={onRetry}>{t("action.tryAgain")}</AlertActionLink> };
  if (error instanceof Refused) {
    const { detail, remedy, code, requestId, findings } = error.problem;
    return (
      <Alert component="p" isInline variant="danger" title={title} {...retry}>
        <Content component="p">{detail}</Content>
        <Content component="p">{remedy}</Content>
        <div className="hf-finding-place">
          <code>{code}</code>
          <span>
            {t("problem.request")} <CopyText text={requestId} />
          </span>
        </div>
        {findings === undefined ? null : <FindingList findings={findings} {...(onGo === undefined ? {} : { onGo })} />}
        {children}
      </Alert>
    );
  }
  const unreachable = error instanceof Unreachable;
  return (
    <Alert component="p" isInline variant={unreachable ? "warning" : "danger"} title={title} {...retry}>
      <Content component="p">
        {unreachable ? t(reading ? "problem.unreachable.read" : "problem.unreachable") : t("problem.bug")}
      </Content>
      <div className="hf-finding-place">
        <code>{error.message}</code>
      </div>
      {children}
    </Alert>
  );
}
