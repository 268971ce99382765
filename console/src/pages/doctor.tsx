import { Button, Label } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../api/queries.ts";
import { useT } from "../i18n/language.ts";
import { Loaded } from "../ui/loaded.tsx";
import { PageBody, PageHead } from "../ui/page-head.tsx";
import { TableHead } from "../ui/table-head.tsx";

/** Whether this installation holds what it promises, with the evidence found on it. */
export function DoctorPage(): ReactNode {
  const t = useT();
  const doctor = useQuery(queries.doctor());
  return (
    <>
      <PageHead
        title={t("nav.doctor")}
        sub={t("doctor.sub")}
        actions={
          <Button size="sm" variant="secondary" isLoading={doctor.isFetching} onClick={() => void doctor.refetch()}>
            {t("doctor.again")}
          </Button>
        }
      />
      <PageBody>
        <Loaded query={doctor} what={t("what.doctor")}>
          {({ rows }) => (
            <div className="hf-stack">
              <p role="status" className="hf-sentence">
                {t("doctor.count", { good: rows.filter((row) => row.holds).length, all: rows.length })}
              </p>
              <table className="hf-table">
                <caption className="hf-sr">{t("nav.doctor")}</caption>
                <TableHead columns={["doctor.holds", "doctor.asks", "doctor.evidence"]} />
                <tbody>
                  {rows
                    .toSorted((a, b) => Number(a.holds) - Number(b.holds))
                    .map((row) => (
                      <tr key={row.id}>
                        <td data-label={t("doctor.holds")}>
                          <Label
                            isCompact
                            color={row.holds ? "green" : "red"}
                            icon={row.holds ? <CheckCircleIcon /> : <ExclamationCircleIcon />}
                          >
                            {row.holds ? t("doctor.yes") : t("doctor.no")}
                          </Label>
                        </td>
                        <td data-label={t("doctor.asks")}>
                          {row.asks} <code className="hf-quiet">{row.id}</code>
                        </td>
                        <td data-label={t("doctor.evidence")}>
                          {row.evidence}
                          {row.holds || row.remedy === "" ? null : <div>{row.remedy}</div>}
                        </td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          )}
        </Loaded>
      </PageBody>
    </>
  );
}
