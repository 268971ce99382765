import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ReactNode } from "react";
import { CountdownText } from "../../parts/countdown.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";

/** What is under way, with the time until the server undoes by itself. */
export function NowLines({ applies }: { readonly applies: readonly ApplySummary[] }): ReactNode {
  return (
    <ul className="hf-lines">
      {applies.map((apply) => (
        <li key={apply.id}>
          <AppLink to={paths.server(apply.server)}>{apply.server}</AppLink>
          <StateBadge state={apply.state} phase={apply.phase} />
          {apply.deadlineAt === null ? null : (
            <strong>
              <CountdownText deadlineAt={apply.deadlineAt} />
            </strong>
          )}
          <AppLink to={paths.rollout(apply.rolloutId)}>{apply.changeTitle}</AppLink>
          <span className="hf-quiet">{apply.waitingFor ?? ""}</span>
        </li>
      ))}
    </ul>
  );
}
