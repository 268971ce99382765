import type { ChangeSummary } from "@holdfast/core/api/change.ts";
import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useQueries, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { mayWaitFor, waitsForMe } from "./waits-for-me.ts";

/** What others wrote and this person is asked to look at. Nothing is shown where nothing waits. */
export function MyApprovals({ changes }: { readonly changes: readonly ChangeSummary[] }): ReactNode {
  const t = useT();
  const { data: me } = useQuery(queries.me());
  const asked = me?.permissions.includes("approve") === true ? mayWaitFor(changes, me.user) : [];
  const details = useQueries({ queries: asked.map(({ id }) => queries.changeForApproval(id)) });
  const waiting = details.flatMap(({ data }) => (data !== undefined && waitsForMe(data) ? [data] : []));
  if (waiting.length === 0) return null;
  return (
    <Card isCompact className="hf-open">
      <CardTitle component="h2">{t("approvals.title")}</CardTitle>
      <CardBody>
        <ul className="hf-lines">
          {waiting.map((change) => (
            <li key={change.id}>
              <AppLink to={paths.change(change.id)}>{change.title}</AppLink>
              <span className="hf-quiet">
                {change.author} · <TimeText at={change.createdAt} />
              </span>
              <span>
                {t("review.approvals", { given: change.approvals.given.length, needed: change.approvals.needed })}
              </span>
            </li>
          ))}
        </ul>
        <p className="hf-quiet">{t("approvals.how")}</p>
      </CardBody>
    </Card>
  );
}
