import type { ChangeDetail, Plan } from "@holdfast/core/api/change.ts";
import { Alert, Button, Card, CardBody, TextInput } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { requestKeys } from "../../api/request-keys.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { updatePending, withoutBegun } from "../../editor/pending.ts";
import { useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { useStepUp } from "../../parts/step-up.tsx";
import { paths } from "../../paths.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { Approvals, BreakGlass } from "./approvals.tsx";
import { PlanCard } from "./plan-card.tsx";
import { acknowledgementKey, dangersOf, isDoable, isHighRisk, plansToReview, reviewOf } from "./risk.ts";

/** What the change would do, server by server; and the only place in the console where anything is applied. */
export function Review({ change }: { readonly change: ChangeDetail }): ReactNode {
  const plans = plansToReview(change.plans);
  return <Reviewed key={reviewOf(plans)} change={change} plans={plans} />;
}

interface ReviewedProps {
  readonly change: ChangeDetail;
  readonly plans: readonly Plan[];
}

function Reviewed({ change, plans: unordered }: ReviewedProps): ReactNode {
  const t = useT();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const tick = (key: string, yes: boolean): void => {
    const next = new Set(ticked);
    if (yes) next.add(key);
    else next.delete(key);
    setTicked(next);
  };
  const order = { refused: 0, unreachable: 1, planned: 2, nothing_to_do: 3 } as const satisfies Record<
    Plan["status"],
    number
  >;
  const plans = unordered.toSorted((a, b) => order[a.status] - order[b.status] || (a.server < b.server ? -1 : 1));

  return (
    <>
      <section className="hf-stack">
        <h2 className="hf-small-title">{t("review.plans")}</h2>
        {plans.length === 0 ? <p className="hf-quiet">{t("review.noPlans")}</p> : null}
        {plans.map((plan) => (
          <PlanCard
            key={plan.id}
            plan={plan}
            open={plans.length <= 3 || plan.status !== "nothing_to_do"}
            isTicked={(finding) => ticked.has(acknowledgementKey(plan.server, finding))}
            onTick={(finding, yes) => tick(acknowledgementKey(plan.server, finding), yes)}
          />
        ))}
      </section>
      <ApplyPanel change={change} plans={plans} ticked={ticked} />
    </>
  );
}

interface PanelProps extends ReviewedProps {
  readonly ticked: ReadonlySet<string>;
}

function ApplyPanel({ change, plans, ticked }: PanelProps): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const denied = useDenied();
  const [word, setWord] = useState("");
  const [keyOf] = useState(() => requestKeys(() => crypto.randomUUID()));

  const doable = plans.filter(isDoable);
  const refused = plans.filter((plan) => plan.status === "refused");
  const unreachable = plans.filter((plan) => plan.status === "unreachable");
  const dangers = dangersOf(plans);
  const unticked = dangers.filter(({ server, finding }) => !ticked.has(acknowledgementKey(server, finding)));
  const [only] = doable;
  const toType =
    only === undefined || !isHighRisk(plans)
      ? null
      : doable.length === 1
        ? only.server
        : t("review.word", { count: doable.length });
  const isRollback = plans.some((plan) => plan.kind === "rollback");

  const stepUp = useStepUp();
  const apply = useMutation({
    mutationFn: (breakGlass: string | null) => {
      const route = isRollback ? "rollbackChange" : "applyChange";
      const body = {
        plans: doable.flatMap((plan) =>
          plan.planDigest === null ? [] : [{ planId: plan.id, planDigest: plan.planDigest }],
        ),
        // Drift that is overwritten is a danger like any other, and ticked like one.
        acknowledge: dangers.map(({ server, finding }) => ({ server, code: finding.code, path: finding.path })),
        ...(breakGlass === null ? {} : { breakGlass }),
      };
      return stepUp.around(() =>
        call(route, { params: { id: change.id }, body, idempotencyKey: keyOf({ route, body }) }),
      );
    },
    onSuccess: (rollout) => {
      updatePending((now) => withoutBegun(now, change));
      void client.invalidateQueries();
      place.go(paths.rollout(rollout.id));
    },
  });
  const unready =
    denied("apply") ??
    (doable.length === 0 ? t("review.nothing") : null) ??
    (refused.length > 0 ? t("review.refused", { servers: refused.map((plan) => plan.server).join(", ") }) : null) ??
    (unticked.length > 0 ? t("review.untickedCount", { count: unticked.length }) : null);
  const reason =
    denied("apply") ??
    (isRollback ? null : change.actions.apply) ??
    unready ??
    (toType !== null && word !== toType ? t("dialog.typeFirst", { word: toType }) : null);

  return (
    <Card isCompact className="hf-apply-panel">
      <CardBody>
        <p className="hf-sentence">
          {doable.length === 0
            ? t("review.sentence.none")
            : t(isRollback ? "review.sentence.rollback" : "review.sentence", {
                count: doable.length,
                servers: doable.map((plan) => plan.server).join(", "),
                steps: t("plan.steps", { count: doable.reduce((sum, plan) => sum + plan.steps.length, 0) }),
              })}{" "}
          {doable.length > 1 ? t("review.canary") : ""}{" "}
          {doable.some((plan) => plan.touchesManagementPath) ? t("review.managementPath") : ""}
        </p>
        {unreachable.length === 0 ? null : (
          <Alert
            component="p"
            isInline
            isPlain
            variant="warning"
            title={t("review.unreachable", { servers: unreachable.map((plan) => plan.server).join(", ") })}
          />
        )}
        {isRollback ? null : <Approvals change={change} />}
        <ProblemAlert error={apply.error} title={t("review.notApplied")} />
        {stepUp.dialog}
        <div className="hf-actions">
          {toType === null ? null : (
            <span className="hf-type-word">
              <label htmlFor="type-word">{t("dialog.type", { word: toType })}</label>
              <TextInput
                id="type-word"
                value={word}
                onChange={(_event, value) => setWord(value)}
                autoComplete="off"
                spellCheck={false}
              />
            </span>
          )}
          <ReasonButton
            variant={toType === null ? "primary" : "danger"}
            reason={reason}
            isLoading={apply.isPending}
            onClick={() => apply.mutate(null)}
          >
            {t(isRollback ? "review.rollback" : "review.apply", { count: doable.length })}
          </ReasonButton>
          {reason === null ? null : <span className="hf-quiet">{reason}</span>}
          {!isRollback && unready === null && change.actions.breakGlass === null ? (
            <BreakGlass
              word={
                doable.length === 1 && only !== undefined ? only.server : t("review.word", { count: doable.length })
              }
              change={change}
              isPending={apply.isPending}
              error={apply.error}
              onBreak={(why) => apply.mutate(why)}
            />
          ) : null}
          {apply.error === null ? null : (
            <Button variant="link" onClick={() => void client.invalidateQueries()}>
              {t("action.lookAgain")}
            </Button>
          )}
        </div>
      </CardBody>
    </Card>
  );
}
