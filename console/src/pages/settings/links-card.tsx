import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { Loaded } from "../../ui/loaded.tsx";
import { LinksList } from "./links-list.tsx";

/** Who at the provider signs in as me. Without a provider and without a link there is nothing to say. */
export function LinksCard(): ReactNode {
  const t = useT();
  const methods = useQuery(queries.signInMethods());
  const links = useQuery(queries.links());
  if (methods.data?.oidc === null && links.data?.items.length === 0) return null;
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("links.title")}</CardTitle>
      <CardBody className="hf-stack">
        <p className="hf-quiet">{t("links.own")}</p>
        <Loaded query={links} what={t("links.title")}>
          {({ items }) => (items.length === 0 ? <p>{t("links.none")}</p> : <LinksList links={items} />)}
        </Loaded>
      </CardBody>
    </Card>
  );
}
