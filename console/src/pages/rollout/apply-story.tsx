import type { ApplyDetail } from "@holdfast/core/api/apply.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { Alert, type AlertProps } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useLanguage, useT } from "../../i18n/language.ts";
import { ApplyActs } from "../../parts/apply-acts.tsx";
import { CountdownBar } from "../../parts/countdown.tsx";
import { PhaseSteps } from "../../parts/phase-steps.tsx";
import { shortIds } from "../../parts/short-ids.ts";
import { EFFECT_TEXT, ServerIsBadge, StateBadge } from "../../parts/state-badge.tsx";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { ElsewhereLink } from "../../ui/elsewhere-link.tsx";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { clockTime, exactTime, TimeText } from "../../ui/time-text.tsx";
import { nextSteps } from "./next-steps.ts";

/** One apply: what is happening or what came of it, what can be done, and the whole story. */
export function ApplyStory({ id }: { readonly id: string }): ReactNode {
  const t = useT();
  const apply = useQuery(queries.apply(id));
  return (
    <div className="hf-story">
      <Loaded query={apply} what={t("what.apply")}>
        {(detail) => (
          <div className="hf-stack">
            <div className="hf-line-row">
              <h2 className="hf-story-title">
                <AppLink to={paths.server(detail.server)}>{detail.server}</AppLink>
              </h2>
              <StateBadge state={detail.state} phase={detail.phase} />
            </div>
            {isOpen(detail.state) ? <UnderWay apply={detail} /> : <Outcome apply={detail} />}
            <ApplyActs id={detail.id} server={detail.server} detail={detail} />
            <Events apply={detail} />
            <Transactions apply={detail} />
            <Facts apply={detail} />
          </div>
        )}
      </Loaded>
    </div>
  );
}

function UnderWay({ apply }: { readonly apply: ApplyDetail }): ReactNode {
  const t = useT();
  return (
    <section className="hf-stack">
      <PhaseSteps phase={apply.phase} state={apply.state} />
      {apply.deadlineAt === null ? null : <CountdownBar deadlineAt={apply.deadlineAt} startedAt={apply.startedAt} />}
      <div role="status">
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
      </div>
      {apply.message === null ? null : <p>{apply.message}</p>}
    </section>
  );
}

function variantOf(apply: ApplyDetail): NonNullable<AlertProps["variant"]> {
  if (apply.serverIs === "mixed" || apply.serverIs === "unknown" || apply.state === "FAILED") return "danger";
  if (apply.state === "APPLIED") return "success";
  return apply.state === "ROLLED_BACK" ? "warning" : "info";
}

/** The two facts, why, and what to do next. */
function Outcome({ apply }: { readonly apply: ApplyDetail }): ReactNode {
  const t = useT();
  return (
    <Alert component="p" isInline variant={variantOf(apply)} title={t(`outcome.${apply.state}`)}>
      <dl className="hf-two-facts">
        <dt>{t("outcome.label")}</dt>
        <dd>
          <StateBadge state={apply.state} />{" "}
          {apply.effect === null ? null : <span>{t(EFFECT_TEXT[apply.effect])}</span>}
        </dd>
        <dt>{t("serverIs.label")}</dt>
        <dd>
          <ServerIsBadge serverIs={apply.serverIs} />
        </dd>
      </dl>
      {apply.message === null ? null : (
        <p>
          {apply.message} {apply.code === null ? null : <code>{apply.code}</code>}
        </p>
      )}
      <ul className="hf-plain-list">
        {nextSteps(apply).map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ul>
    </Alert>
  );
}

function Events({ apply }: { readonly apply: ApplyDetail }): ReactNode {
  const t = useT();
  const language = useLanguage();
  return (
    <section>
      <h3 className="hf-small-title">{t("story.title")}</h3>
      <ol className="hf-events">
        {apply.events.map((event, index) => (
          <li key={`${event.at} ${index}`}>
            <time dateTime={event.at} title={exactTime(event.at, language)}>
              {clockTime(event.at, language)}
            </time>
            <div>
              {event.fromState === null || event.fromState === event.toState ? null : <>{event.fromState} → </>}
              <strong>{event.toState}</strong>{" "}
              {event.phase === null ? null : <span className="hf-quiet">{event.phase}</span>} {event.message ?? ""}{" "}
              {event.code === null ? null : <code>{event.code}</code>}
            </div>
            <span className="hf-quiet" title={event.actor}>
              {shortIds(event.actor)}
            </span>
          </li>
        ))}
      </ol>
      {apply.events.length === 0 ? <p className="hf-quiet">{t("story.none")}</p> : null}
    </section>
  );
}

/** Where more of it is written: by the house's own programs for logs and traces where it has some, and in the server's journal always. */
function Evidence({ transaction }: { readonly transaction: ApplyDetail["transactions"][number] }): ReactNode {
  const t = useT();
  const { logs, trace } = transaction.links;
  return (
    <div className="hf-line-row">
      {logs === null ? null : <ElsewhereLink to={logs}>{t("transaction.logs")}</ElsewhereLink>}
      {trace === null ? null : <ElsewhereLink to={trace}>{t("transaction.trace")}</ElsewhereLink>}
      <span>
        <span className="hf-quiet">{t("transaction.journal")}</span>{" "}
        <CopyText text={`journalctl REQUEST_ID=${transaction.requestId}`} />
      </span>
    </div>
  );
}

function Transactions({ apply }: { readonly apply: ApplyDetail }): ReactNode {
  const t = useT();
  return (
    <section>
      <h3 className="hf-small-title">{t("transactions.title")}</h3>
      {apply.transactions.length === 0 ? <p className="hf-quiet">{t("transactions.none")}</p> : null}
      {apply.transactions.map((transaction) => (
        <details key={transaction.requestId} className="hf-item" open={apply.transactions.length === 1}>
          <summary>
            {t(`transaction.${transaction.kind}`)} <strong>{transaction.outcome ?? t("transaction.open")}</strong>{" "}
            {transaction.outcomeCode === null ? null : <code>{transaction.outcomeCode}</code>}
          </summary>
          <div>
            request_id <CopyText text={transaction.requestId} />{" "}
            <span className="hf-quiet">fence {transaction.fence}</span>
          </div>
          <Evidence transaction={transaction} />
          {transaction.probes.length === 0 ? null : (
            <table className="hf-table">
              <TableHead columns={["probe.what", "probe.expected", "probe.before", "probe.after", "probe.origin"]} />
              <tbody>
                {transaction.probes.map((probe) => (
                  <tr key={probe.id} data-bad={probe.after !== null && probe.after !== probe.expected}>
                    <td data-label={t("probe.what")}>
                      <code>{probe.id}</code>
                    </td>
                    <td data-label={t("probe.expected")}>{probe.expected}</td>
                    <td data-label={t("probe.before")}>{probe.before ?? "—"}</td>
                    <td data-label={t("probe.after")}>
                      {probe.after === null ? "—" : `${probe.after === probe.expected ? "✓" : "✗"} ${probe.after}`}
                    </td>
                    <td data-label={t("probe.origin")}>{probe.origin}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </details>
      ))}
    </section>
  );
}

function Facts({ apply }: { readonly apply: ApplyDetail }): ReactNode {
  const t = useT();
  return (
    <details className="hf-item">
      <summary>{t("apply.facts")}</summary>
      <dl className="hf-facts">
        <dt>{t("apply.id")}</dt>
        <dd>
          <CopyText text={apply.id} />
        </dd>
        <dt>request_id</dt>
        <dd>{apply.requestId === null ? "—" : <CopyText text={apply.requestId} />}</dd>
        <dt>{t("apply.revisions")}</dt>
        <dd>
          {apply.revisions.map(({ kind, name, revision }) => (
            <div key={`${kind}/${name}`}>
              <AppLink to={paths.document(kind, name)}>
                {kind}/{name}
              </AppLink>{" "}
              {t("revision", { revision })}
            </div>
          ))}
        </dd>
        <dt>{t("apply.requested")}</dt>
        <dd>
          {apply.requestedBy} · <TimeText at={apply.requestedAt} />
        </dd>
        <dt>{t("apply.finished")}</dt>
        <dd>{apply.finishedAt === null ? "—" : <TimeText at={apply.finishedAt} />}</dd>
        <dt>{t("apply.retries")}</dt>
        <dd>
          {apply.retryCount}{" "}
          {apply.retryOf === null ? null : <AppLink to={paths.apply(apply.retryOf)}>{t("apply.retryOf")}</AppLink>}
        </dd>
        <dt>{t("apply.worker")}</dt>
        <dd>
          {apply.leaseOwner ?? "—"} · fence {apply.fence ?? "—"}
        </dd>
      </dl>
    </details>
  );
}
