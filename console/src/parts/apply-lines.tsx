import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { ServerIsBadge, StateBadge } from "./state-badge.tsx";

/** What ended and how: the two facts, why, of what, when. */
export function ApplyLines({
  applies,
  withServer = true,
}: {
  readonly applies: readonly ApplySummary[];
  readonly withServer?: boolean;
}): ReactNode {
  const t = useT();
  return (
    <ul className="hf-lines hf-applies">
      {applies.map((apply) => (
        <li key={apply.id}>
          <div className="hf-line-row">
            {withServer ? <AppLink to={paths.server(apply.server)}>{apply.server}</AppLink> : null}
            <StateBadge state={apply.state} phase={apply.phase} />
            <span className="hf-server-is">
              {t("serverIs.label")} <ServerIsBadge serverIs={apply.serverIs} />
            </span>
            <AppLink to={paths.apply(apply.id)}>{apply.changeTitle}</AppLink>
            <span className="hf-quiet">
              {apply.requestedBy} · <TimeText at={apply.finishedAt ?? apply.requestedAt} />
            </span>
          </div>
          {apply.message === null ? null : (
            <div className="hf-why">
              {apply.message} {apply.code === null ? null : <code>{apply.code}</code>}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
