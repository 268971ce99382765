import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import { Alert, Card, CardBody, Label } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useAddressPart, usePlace } from "../../app/place.ts";
import { updatePending, usePending, withChange, withoutBegun } from "../../editor/pending.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ApplyLines } from "../../parts/apply-lines.tsx";
import { FindingList } from "../../parts/findings.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { TextDiff } from "../../parts/text-diff.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { Approvals } from "./approvals.tsx";
import { Review } from "./review.tsx";

export function ChangePage(): ReactNode {
  const t = useT();
  const id = useAddressPart("id");
  const change = useQuery(queries.change(id));
  const detail = change.data;
  return (
    <>
      <PageHead
        above={<AppLink to={paths.changes()}>{t("nav.changes")}</AppLink>}
        title={detail?.title ?? t("change.unnamed")}
        badges={
          detail === undefined ? null : (
            <span className="hf-badges">
              <StateBadge state={detail.state} />
              <span className="hf-quiet">
                {detail.author} · <TimeText at={detail.createdAt} />
              </span>
            </span>
          )
        }
        actions={detail === undefined ? undefined : <ChangeActs change={detail} />}
        {...(detail === undefined || detail.reason === "" ? {} : { sub: detail.reason })}
      />
      <PageBody>
        <Loaded query={change} what={t("what.change")}>
          {(data) => <ChangeBody change={data} />}
        </Loaded>
      </PageBody>
    </>
  );
}

function ChangeBody({ change }: { readonly change: ChangeDetail }): ReactNode {
  const t = useT();
  const pending = usePending();
  const begun = change.applies.length > 0 || change.rolloutIds.length > 0;
  const open =
    change.state === "DRAFT" || change.state === "READY" || change.plans.some((plan) => plan.kind === "rollback");
  // Once it is applied, it is pending no more.
  useEffect(() => {
    if (begun && pending.changeId === change.id) updatePending((now) => withoutBegun(now, change));
  }, [begun, change, pending.changeId]);
  const newest = change.rolloutIds.at(-1);

  return (
    <div className="hf-stack">
      {newest === undefined ? null : (
        <Alert component="p" isInline variant="info" title={t("change.begun")}>
          <AppLink to={paths.rollout(newest)}>{t("change.watch")}</AppLink>
        </Alert>
      )}
      {change.findings.length === 0 ? null : (
        <section>
          <h2 className="hf-small-title">{t("change.findings")}</h2>
          <FindingList findings={change.findings} />
        </section>
      )}
      {open ? (
        <Review change={change} />
      ) : change.approvals.given.length < change.approvals.needed ? (
        <Card isCompact>
          <CardBody>
            <Approvals change={change} />
          </CardBody>
        </Card>
      ) : null}
      {change.applies.length === 0 ? null : (
        <section>
          <h2 className="hf-small-title">{t("change.applies")}</h2>
          <ApplyLines applies={change.applies} />
        </section>
      )}
      <section>
        <h2 className="hf-small-title">{t("change.content")}</h2>
        {change.content.map((item) => (
          <details key={`${item.kind}/${item.name}`} className="hf-item" open={change.content.length === 1}>
            <summary>
              <Label isCompact>
                {t(`item.${item.text === null ? "delete" : item.baseText === null ? "create" : "edit"}`)}
              </Label>{" "}
              {item.kind}/{item.name}{" "}
              <span className="hf-quiet">
                {item.baseRevision === 0 ? t("change.new") : t("change.onRevision", { revision: item.baseRevision })}
              </span>
            </summary>
            <p>
              <AppLink to={paths.document(item.kind, item.name)}>{t("change.openDocument")}</AppLink>
            </p>
            <TextDiff before={item.baseText ?? ""} after={item.text ?? ""} label={`${item.kind}/${item.name}`} />
          </details>
        ))}
      </section>
    </div>
  );
}

function ChangeActs({ change }: { readonly change: ChangeDetail }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const place = usePlace();
  const [withdrawing, setWithdrawing] = useState(false);
  const act = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSettled: () => client.invalidateQueries(),
  });
  const pending = usePending();
  const isOther = pending.edits.length > 0 && pending.changeId !== change.id;
  const edit = (): void => {
    if (isOther) return;
    updatePending((now) => withChange(now, change));
    const first = change.content.find((item) => item.text !== null);
    if (first !== undefined) place.go(paths.editDocument(first.kind, first.name));
  };
  const withdraw = async (reason: string): Promise<void> => {
    await call("withdrawChange", { params: { id: change.id }, body: { reason } });
    updatePending((now) => (now.changeId === change.id ? { ...now, changeId: null } : now));
    setWithdrawing(false);
  };
  return (
    <>
      <div className="hf-actions">
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={change.actions.edit ?? (isOther ? t("change.edit.pending", { count: pending.edits.length }) : null)}
          onClick={edit}
        >
          {t("change.edit")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={change.actions.plan}
          isLoading={act.isPending}
          onClick={() => act.mutate(() => call("planChange", { params: { id: change.id }, body: { trial: {} } }))}
        >
          {t("change.plan")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={change.actions.rollback}
          onClick={() => act.mutate(() => call("planRollback", { params: { id: change.id }, body: {} }))}
        >
          {t("change.rollback")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          isDanger
          reason={change.actions.withdraw}
          onClick={() => setWithdrawing(true)}
        >
          {t("change.withdraw")}
        </ReasonButton>
      </div>
      {withdrawing ? (
        <ActDialog
          title={t("change.withdraw")}
          text={t("change.withdraw.ask", { title: change.title })}
          confirmText={t("change.withdraw")}
          danger
          isPending={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate(() => withdraw(reason))}
          onClose={() => {
            setWithdrawing(false);
            act.reset();
          }}
        />
      ) : (
        <ProblemAlert error={act.error} title={t("act.failed")} />
      )}
    </>
  );
}
