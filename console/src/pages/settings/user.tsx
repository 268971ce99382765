import { Alert, Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useAddressPart } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { signsInWith } from "./signs-in-with.ts";
import { UserActs } from "./user-acts.tsx";
import { UserGrants } from "./user-grants.tsx";
import { UserLinks } from "./user-links.tsx";
import { UserSessions } from "./user-sessions.tsx";
import { UserMarks } from "./users.tsx";

type User = Answer<"listUsers">["items"][number];

/** One account: what it may do and where, how it signs in, and what it is signed in with. */
export function UserPage(): ReactNode {
  const t = useT();
  const name = useAddressPart("name");
  const denied = useDenied()("admin");
  const users = useQuery({ ...queries.users(), enabled: denied === null });
  const user = users.data?.find((one) => one.name === name);
  return (
    <>
      <PageHead
        above={<AppLink to={paths.users()}>{t("nav.users")}</AppLink>}
        title={name}
        badges={user === undefined ? null : <UserMarks user={user} />}
        actions={user === undefined ? undefined : <UserActs user={user} />}
      />
      <PageBody>
        {denied === null ? (
          <Loaded query={users} what={t("what.users")}>
            {() =>
              user === undefined ? (
                <Alert component="p" isInline variant="warning" title={t("user.unknown", { name })} />
              ) : (
                <UserBody user={user} />
              )
            }
          </Loaded>
        ) : (
          <Alert component="p" isInline variant="info" title={denied} />
        )}
      </PageBody>
    </>
  );
}

function UserBody({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  const { data: me } = useQuery(queries.me());
  return (
    <div className="hf-stack">
      {user.disabled ? <Alert component="p" isInline variant="info" title={t("user.closedNow")} /> : null}
      {me?.user === user.name ? <Alert component="p" isInline isPlain variant="info" title={t("user.isYou")} /> : null}
      <UserGrants user={user} />
      <Card isCompact>
        <CardTitle component="h2">{t("user.signsIn")}</CardTitle>
        <CardBody>
          <p>{user.kind === "service" ? t("users.kind.service.why") : t(`user.${signsInWith(user)}`)}</p>
          {user.mustChangePassword ? <p>{t("user.oneTime")}</p> : null}
        </CardBody>
      </Card>
      {user.kind === "person" ? <UserLinks user={user} /> : null}
      <UserSessions user={user} />
    </div>
  );
}
