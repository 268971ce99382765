import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { LinksCard } from "./links-card.tsx";
import { PasskeysCard } from "./passkeys-card.tsx";
import { SecondFactorCard } from "./second-factor-card.tsx";
import { SessionsCard } from "./sessions-card.tsx";

/** How I sign in, and with what I am signed in. */
export function AccountPage(): ReactNode {
  const t = useT();
  const me = useQuery(queries.me());
  return (
    <>
      <PageHead title={t("nav.account")} sub={t("account.sub")} />
      <PageBody>
        <Loaded query={me} what={t("what.me")}>
          {(mine) => (
            <div className="hf-stack">
              <MayCard me={mine} />
              <PasswordCard />
              <SecondFactorCard me={mine} />
              <PasskeysCard />
              <LinksCard />
              <SessionsCard />
            </div>
          )}
        </Loaded>
      </PageBody>
    </>
  );
}

function MayCard({ me }: { readonly me: Answer<"me"> }): ReactNode {
  const t = useT();
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("account.may", { name: me.user })}</CardTitle>
      <CardBody>
        {me.permissions.length === 0 ? (
          <p>{t("account.mayNothing")}</p>
        ) : (
          <dl className="hf-facts">
            {me.permissions.map((permission) => (
              <div key={permission} className="hf-fact">
                <dt>
                  <code>{permission}</code>
                </dt>
                <dd>{t(`permission.${permission}`)}</dd>
              </div>
            ))}
          </dl>
        )}
        <p className="hf-quiet">{t("account.whoGives")}</p>
      </CardBody>
    </Card>
  );
}

function PasswordCard(): ReactNode {
  const t = useT();
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("login.password")}</CardTitle>
      <CardBody className="hf-stack">
        <p>{t("password.ends")}</p>
        <div className="hf-line-row">
          <AppLink to={paths.password()}>{t("password.title")}</AppLink>
          <AppLink to={paths.tokens()}>{t("account.toTokens")}</AppLink>
        </div>
      </CardBody>
    </Card>
  );
}
