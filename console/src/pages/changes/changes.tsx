import { APPLY_STATES, type ApplyState } from "@holdfast/core/apply/state.ts";
import { FormSelect, FormSelectOption } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useSearchState } from "../../app/search-state.ts";
import { useT } from "../../i18n/language.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { MyApprovals } from "./my-approvals.tsx";

const isState = (text: string): text is ApplyState => APPLY_STATES.some((state) => state === text);

export function ChangesPage(): ReactNode {
  const t = useT();
  const changes = useQuery(queries.changes());
  const [state, setState] = useSearchState("state");
  return (
    <>
      <PageHead title={t("nav.changes")} sub={t("changes.sub")} />
      <PageBody>
        <Loaded query={changes} what={t("what.changes")}>
          {({ items }) => {
            const found = items.filter((change) => state === "" || change.state === state);
            return (
              <div className="hf-stack">
                <MyApprovals changes={items} />
                <FormSelect
                  className="hf-short-select"
                  aria-label={t("changes.state")}
                  value={state}
                  onChange={(_event, value) => setState(value)}
                >
                  <FormSelectOption value="" label={t("changes.all")} />
                  {APPLY_STATES.map((choice) => (
                    <FormSelectOption key={choice} value={choice} label={choice} />
                  ))}
                </FormSelect>
                {found.length === 0 ? <p className="hf-quiet">{t("changes.none")}</p> : null}
                {found.length === 0 ? null : (
                  <table className="hf-table">
                    <caption className="hf-sr">{t("nav.changes")}</caption>
                    <TableHead
                      columns={["changes.title", "changes.state", "changes.items", "changes.servers", "changes.author"]}
                    />
                    <tbody>
                      {found.map((change) => (
                        <tr key={change.id}>
                          <td data-label={t("changes.title")}>
                            <AppLink to={paths.change(change.id)}>{change.title}</AppLink>
                          </td>
                          <td data-label={t("changes.state")}>
                            <StateBadge state={change.state} />
                          </td>
                          <td data-label={t("changes.items")}>
                            {change.items.map((item) => (
                              <div key={`${item.kind}/${item.name}`}>
                                {t(`item.${item.action}`)} {item.kind}/{item.name}
                              </div>
                            ))}
                          </td>
                          <td data-label={t("changes.servers")}>
                            <span className="hf-badges">
                              {Object.entries(change.counts).map(([key, count]) =>
                                isState(key) && count > 0 ? (
                                  <span key={key} className="hf-nowrap">
                                    {count} × <StateBadge state={key} />
                                  </span>
                                ) : null,
                              )}
                            </span>
                          </td>
                          <td data-label={t("changes.author")}>
                            {change.author} · <TimeText at={change.createdAt} />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                )}
              </div>
            );
          }}
        </Loaded>
      </PageBody>
    </>
  );
}
