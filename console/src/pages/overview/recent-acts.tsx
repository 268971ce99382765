import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useT } from "../../i18n/language.ts";
import { shortIds } from "../../parts/short-ids.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TimeText } from "../../ui/time-text.tsx";

const LINES = 10;

/** The house does much by itself; here people want to see each other. */
function isOfPerson({ actor }: { readonly actor: string }): boolean {
  return !/^(system\/|agent[ /])/.test(actor);
}

/** Who did what lately, for those who may read the audit log. */
export function RecentActs(): ReactNode {
  const t = useT();
  const denied = useDenied()("audit");
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("overview.acts")}</CardTitle>
      <CardBody>{denied === null ? <Acts /> : <p className="hf-quiet">{denied}</p>}</CardBody>
    </Card>
  );
}

function Acts(): ReactNode {
  const t = useT();
  const audit = useQuery(queries.audit());
  return (
    <Loaded query={audit} what={t("what.audit")}>
      {({ items }) => (
        <>
          <ul className="hf-lines">
            {items
              .filter(isOfPerson)
              .slice(0, LINES)
              .map((entry) => (
                <li key={entry.id}>
                  <strong>{entry.actor}</strong>
                  <span>
                    {entry.resultCode === "ok" ? "" : "✗ "}
                    {entry.action} <span className="hf-quiet">{entry.server ?? shortIds(entry.object)}</span>
                  </span>
                  <span className="hf-quiet">
                    <TimeText at={entry.at} />
                  </span>
                </li>
              ))}
          </ul>
          <AppLink to={paths.audit()}>{t("nav.audit")}</AppLink>
        </>
      )}
    </Loaded>
  );
}
