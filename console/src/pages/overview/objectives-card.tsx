import type { ObjectiveStanding } from "@holdfast/core/api/objective.ts";
import type { ObjectiveName } from "@holdfast/core/objective/objective.ts";
import { Card, CardBody, CardTitle, Label } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { Loaded } from "../../ui/loaded.tsx";

const TITLES = {
  success: "objective.success",
  in_time: "objective.inTime",
  recovery: "objective.recovery",
} as const satisfies Record<ObjectiveName, MessageKey>;

/** Below this the rest is soon gone, and whoever plans something daring should know. */
const LITTLE_LEFT = 0.25;

/** What is promised over thirty days, and how much may still go wrong. */
export function ObjectivesCard(): ReactNode {
  const t = useT();
  const objectives = useQuery(queries.objectives());
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("objective.card")}</CardTitle>
      <CardBody>
        <Loaded query={objectives} what={t("what.objectives")}>
          {({ days, items }) => (
            <>
              <ul className="hf-lines hf-objectives">
                {items.map((item) => (
                  <Line key={item.name} item={item} />
                ))}
              </ul>
              <p className="hf-quiet">{t("objective.days", { days })}</p>
            </>
          )}
        </Loaded>
      </CardBody>
    </Card>
  );
}

function Line({ item }: { readonly item: ObjectiveStanding }): ReactNode {
  const t = useT();
  const left = item.budgetLeft;
  return (
    <li>
      <div className="hf-line-row">
        <strong>{t(TITLES[item.name], { seconds: item.withinSeconds ?? 0 })}</strong>
        <span>
          {item.share === null
            ? t("objective.nothing")
            : t("objective.is", { share: percent(item.share), promised: percent(item.promised), count: item.counted })}
        </span>
        {left === null ? null : (
          <Label isCompact color={left < 0 ? "red" : left < LITTLE_LEFT ? "orange" : "green"}>
            {left < 0 ? t("objective.spent") : t("objective.left", { left: percent(left) })}
          </Label>
        )}
      </div>
      {left === null ? null : (
        // The number stands beside it in words.
        <div className="hf-budget" aria-hidden="true" data-low={left < LITTLE_LEFT}>
          <div style={{ inlineSize: `${Math.max(0, left) * 100}%` }} />
        </div>
      )}
    </li>
  );
}

/** Cut, not rounded: 94.99 % is not what 95 % is. */
function percent(share: number): string {
  return String(Math.floor(share * 1000 + 1e-9) / 10);
}
