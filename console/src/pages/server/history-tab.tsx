import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ApplyLines } from "../../parts/apply-lines.tsx";
import { Loaded } from "../../ui/loaded.tsx";

export function HistoryTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const applies = useQuery(queries.serverApplies(name));
  return (
    <Loaded query={applies} what={t("what.applies")}>
      {({ items }) =>
        items.length === 0 ? (
          <p className="hf-quiet">{t("history.none")}</p>
        ) : (
          <ApplyLines applies={items} withServer={false} />
        )
      }
    </Loaded>
  );
}
