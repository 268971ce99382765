import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { ApplyActs } from "./apply-acts.tsx";
import { CountdownBar } from "./countdown.tsx";
import { PhaseSteps } from "./phase-steps.tsx";
import { StateBadge } from "./state-badge.tsx";

/** What is under way on one server: where it stands, what it waits for, how long until it undoes itself, and what can be done. */
export function OpenApply({ apply }: { readonly apply: ApplySummary }): ReactNode {
  const t = useT();
  return (
    <Card isCompact className="hf-open">
      <CardTitle component="h2">
        <span className="hf-line-row">
          <AppLink to={paths.apply(apply.id)}>{apply.changeTitle}</AppLink>
          <StateBadge state={apply.state} phase={apply.phase} />
        </span>
      </CardTitle>
      <CardBody>
        <PhaseSteps phase={apply.phase} state={apply.state} />
        {apply.waitingFor === null ? null : (
          <p>
            <strong>{t("apply.waitingFor")}</strong> {apply.waitingFor}
          </p>
        )}
        {apply.lastStep === null ? null : (
          <p className="hf-quiet">
            {t("apply.lastStep")} {apply.lastStep}
          </p>
        )}
        {apply.deadlineAt === null ? null : <CountdownBar deadlineAt={apply.deadlineAt} startedAt={apply.startedAt} />}
        <ApplyActs id={apply.id} server={apply.server} />
      </CardBody>
    </Card>
  );
}
