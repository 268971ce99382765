import { type Kept, RETENTION_SECONDS } from "@holdfast/core/api/retention.ts";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { useAmounts } from "../../ui/amount.ts";
import { AppLink } from "../../ui/link.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { TableHead } from "../../ui/table-head.tsx";

interface Row {
  readonly kept: Kept;
  readonly name: MessageKey;
  readonly why: MessageKey;
  /** Where it is read; null where no page shows it. */
  readonly to: string | null;
}

/** What is kept for ever first. */
const ROWS: readonly Row[] = [
  { kept: "auditLog", name: "retention.auditLog", why: "retention.auditLog.why", to: paths.audit() },
  { kept: "applies", name: "retention.applies", why: "retention.applies.why", to: paths.failures() },
  { kept: "changes", name: "retention.changes", why: "retention.changes.why", to: paths.changes() },
  { kept: "resolvedAlerts", name: "retention.resolvedAlerts", why: "retention.resolvedAlerts.why", to: null },
  { kept: "requestKeys", name: "retention.requestKeys", why: "retention.requestKeys.why", to: null },
  { kept: "questions", name: "retention.questions", why: "retention.questions.why", to: null },
];

/** What is kept how long. It is read here and set nowhere: evidence that could be set to disappear is none. */
export function RetentionPage(): ReactNode {
  const t = useT();
  const { duration } = useAmounts();
  return (
    <>
      <PageHead title={t("nav.retention")} sub={t("retention.sub")} />
      <PageBody>
        <table className="hf-table">
          <caption className="hf-sr">{t("nav.retention")}</caption>
          <TableHead columns={["retention.what", "retention.howLong", "retention.whatFor"]} />
          <tbody>
            {ROWS.map(({ kept, name, why, to }) => {
              const seconds = RETENTION_SECONDS[kept];
              return (
                <tr key={kept}>
                  <td data-label={t("retention.what")}>
                    {to === null ? <strong>{t(name)}</strong> : <AppLink to={to}>{t(name)}</AppLink>}
                  </td>
                  <td data-label={t("retention.howLong")}>
                    {seconds === null ? t("retention.forEver") : duration(seconds)}
                  </td>
                  <td data-label={t("retention.whatFor")}>{t(why)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </PageBody>
    </>
  );
}
