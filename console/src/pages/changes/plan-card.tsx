import type { Plan } from "@holdfast/core/api/change.ts";
import { Label, type LabelProps } from "@patternfly/react-core";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { type FindingLike, findingKey } from "../../parts/finding-key.ts";
import { FindingCounts, FindingList } from "../../parts/findings.tsx";
import { NativeDiff } from "../../parts/native-diff.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { TimeText } from "../../ui/time-text.tsx";

const STATUS_LOOK = {
  planned: { color: "blue", text: "plan.planned" },
  nothing_to_do: { color: "grey", text: "plan.nothing_to_do" },
  refused: { color: "red", text: "plan.refused" },
  unreachable: { color: "orange", text: "plan.unreachable" },
} as const satisfies Record<Plan["status"], { color: NonNullable<LabelProps["color"]>; text: MessageKey }>;

interface Props {
  readonly plan: Plan;
  readonly open: boolean;
  readonly isTicked: (finding: FindingLike) => boolean;
  readonly onTick: (finding: FindingLike, yes: boolean) => void;
}

/** What the change would do to one server: findings by danger, steps, native diff, probes and the trial in words. */
export function PlanCard({ plan, open, isTicked, onTick }: Props): ReactNode {
  const t = useT();
  const { color, text } = STATUS_LOOK[plan.status];
  const ticked = new Set(plan.findings.filter(isTicked).map(findingKey));
  return (
    <details className="hf-plan" open={open}>
      <summary>
        <strong>{plan.server}</strong>{" "}
        <Label isCompact color={color}>
          {plan.takesOver ? t("plan.takesOver") : t(text)}
        </Label>{" "}
        {plan.kind === "rollback" ? <Label isCompact>{t("plan.rollback")}</Label> : null}{" "}
        {plan.touchesManagementPath ? (
          <Label isCompact color="orange" icon={<ExclamationTriangleIcon />} title={t("plan.managementPath.why")}>
            {t("plan.managementPath")}
          </Label>
        ) : null}{" "}
        <FindingCounts findings={plan.findings} />{" "}
        <span className="hf-quiet">
          {plan.status === "planned" ? t("plan.steps", { count: plan.steps.length }) : ""} · {t("plan.made")}{" "}
          <TimeText at={plan.createdAt} />
        </span>
      </summary>
      <div className="hf-plan-body hf-stack">
        <p>
          <AppLink to={paths.server(plan.server)}>{t("plan.openServer")}</AppLink>
        </p>
        <FindingList
          findings={plan.findings}
          acknowledged={ticked}
          onAcknowledge={(key, yes) => {
            const finding = plan.findings.find((one) => findingKey(one) === key);
            if (finding !== undefined) onTick(finding, yes);
          }}
        />
        {plan.steps.length === 0 ? null : (
          <section>
            <h3 className="hf-small-title">{t("plan.steps.title")}</h3>
            <ol className="hf-steps">
              {plan.steps.map((step) => (
                <li key={step.id}>
                  {step.title} <span className="hf-quiet">{step.domain}</span>
                </li>
              ))}
            </ol>
          </section>
        )}
        {Object.entries(plan.nativeDiff)
          .filter(([, diff]) => diff !== "")
          .map(([domain, diff]) => (
            <section key={domain}>
              <h3 className="hf-small-title">{t("plan.diff", { domain })}</h3>
              <NativeDiff diff={diff} label={t("plan.diff.label", { domain, server: plan.server })} />
            </section>
          ))}
        {plan.trial === null ? null : <TrialWords plan={plan} trial={plan.trial} />}
      </div>
    </details>
  );
}

function TrialWords({ plan, trial }: { readonly plan: Plan; readonly trial: NonNullable<Plan["trial"]> }): ReactNode {
  const t = useT();
  const byPerson =
    trial.confirm === "person" || (trial.confirm === "person_when_management_path" && plan.touchesManagementPath);
  return (
    <section>
      <h3 className="hf-small-title">{t("trial.title")}</h3>
      <ul className="hf-plain-list">
        <li>{t("trial.soak", { seconds: trial.soakSeconds })}</li>
        <li>{t("trial.reconnect", { seconds: trial.reconnectSeconds })}</li>
        <li>{t("trial.window", { seconds: trial.windowSeconds })}</li>
        <li>{byPerson ? t("trial.person") : t("trial.machine")}</li>
      </ul>
      {plan.probes.length === 0 ? (
        <p className="hf-quiet">{t("trial.noProbes")}</p>
      ) : (
        <details>
          <summary>{t("trial.probes", { count: plan.probes.length })}</summary>
          <ul className="hf-plain-list">
            {plan.probes.map((probe) => (
              <li key={probe.id}>
                {t(probe.direction === "inbound" ? "trial.probe.inbound" : "trial.probe.outbound")}{" "}
                <code>{probe.id}</code> {t("trial.probe.expected", { expected: probe.expected })}{" "}
                <span className="hf-quiet">{probe.origin}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
