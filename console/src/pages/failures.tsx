import { SearchInput } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../api/queries.ts";
import { useSearchState } from "../app/search-state.ts";
import { useLanguage, useT } from "../i18n/language.ts";
import { ApplyLines } from "../parts/apply-lines.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { PageBody, PageHead } from "../ui/page-head.tsx";
import { isFailure } from "./overview/failures-of-the-last-day.ts";

/** What did not end as asked, by day, newest first. */
export function FailuresPage(): ReactNode {
  const t = useT();
  const language = useLanguage();
  const [filter, setFilter] = useSearchState("q");
  const applies = useQuery(queries.applies());
  const day = new Intl.DateTimeFormat(language, { dateStyle: "full" });
  return (
    <>
      <PageHead title={t("nav.failures")} sub={t("failures.sub")} />
      <PageBody>
        <div className="hf-stack">
          <SearchInput
            className="hf-search"
            aria-label={t("failures.filter")}
            placeholder={t("failures.filter")}
            value={filter}
            onChange={(_event, value) => setFilter(value)}
            onClear={() => setFilter("")}
          />
          <Loaded query={applies} what={t("what.applies")}>
            {({ items }) => {
              const words = filter.toLowerCase();
              const found = items.filter(
                (apply) =>
                  isFailure(apply) &&
                  `${apply.server} ${apply.changeTitle} ${apply.code ?? ""}`.toLowerCase().includes(words),
              );
              const days = Map.groupBy(found, (apply) => day.format(new Date(apply.finishedAt ?? apply.requestedAt)));
              if (found.length === 0) return <p className="hf-quiet">{t("failures.none")}</p>;
              return [...days].map(([name, list]) => (
                <section key={name}>
                  <h2 className="hf-small-title">{name}</h2>
                  <ApplyLines applies={list} />
                </section>
              ));
            }}
          </Loaded>
        </div>
      </PageBody>
    </>
  );
}
