import type { Permission } from "@holdfast/core/api/account.ts";
import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { GrantDialog } from "./grant-dialog.tsx";
import { useGrantText } from "./grant-text.ts";
import { allGiven, type Given, type Held, isRole, withGiven, withoutGiven } from "./grants.ts";

type User = Answer<"listUsers">["items"][number];
type Role = Answer<"listRoles">["items"][number];

/** What an account may do and where; one thing is given or taken at a time, against what was on screen. */
export function UserGrants({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const text = useGrantText();
  const roles = useQuery(queries.roles());
  const [giving, setGiving] = useState(false);
  const [taking, setTaking] = useState<Given | null>(null);
  const save = useMutation({
    mutationFn: ({ permissions, roles: given }: Held) =>
      call("setUserPermissions", {
        params: { name: user.name },
        body: {
          permissions: permissions.map((one) => ({ ...one, domains: one.domains === null ? null : [...one.domains] })),
          roles: given.map((one) => ({ ...one, domains: one.domains === null ? null : [...one.domains] })),
        },
        ifMatch: user.etag,
      }),
    onSuccess: () => close(),
    // Where somebody else was faster, the list shows what is so now.
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["listUsers"] }),
        client.invalidateQueries({ queryKey: ["listRoles"] }),
        client.invalidateQueries({ queryKey: ["me"] }),
      ]),
  });
  const close = (): void => {
    setGiving(false);
    setTaking(null);
    save.reset();
  };
  const given = allGiven(user);
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("user.may", { name: user.name })}</CardTitle>
      <CardBody className="hf-stack">
        {given.length === 0 ? <p className="hf-quiet">{t("user.mayNothing")}</p> : null}
        {given.length === 0 ? null : (
          <table className="hf-table">
            <caption className="hf-sr">{t("user.may", { name: user.name })}</caption>
            <TableHead columns={["grant.what", "grant.where", "grant.allows", "tokens.acts"]} />
            <tbody>
              {given.map((one) => (
                <tr key={`${text.what(one)} ${text.where(one)}`}>
                  <td data-label={t("grant.what")} className="hf-nowrap">
                    {text.what(one)}
                  </td>
                  <td data-label={t("grant.where")}>{text.where(one)}</td>
                  <td data-label={t("grant.allows")} className="hf-quiet">
                    {text.allows(permissionsOf(one, roles.data?.items ?? []))}
                  </td>
                  <td data-label={t("tokens.acts")}>
                    <ReasonButton
                      size="sm"
                      variant="link"
                      isInline
                      isDanger
                      reason={null}
                      aria-label={t("grant.takeOne", { what: text.what(one), where: text.where(one) })}
                      onClick={() => setTaking(one)}
                    >
                      {t("grant.take")}
                    </ReasonButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <div className="hf-actions">
          <ReasonButton size="sm" reason={user.disabled ? t("users.isDisabled") : null} onClick={() => setGiving(true)}>
            {t("grant.open")}
          </ReasonButton>
        </div>
        {roles.error === null ? null : (
          <Loaded query={roles} what={t("what.roles")}>
            {() => null}
          </Loaded>
        )}
      </CardBody>
      {giving ? (
        <GrantDialog
          name={user.name}
          held={user}
          roles={roles.data?.items ?? []}
          isPending={save.isPending}
          error={save.error}
          onGive={(one) => save.mutate(withGiven(user, one))}
          onClose={close}
        />
      ) : null}
      {taking === null ? null : (
        <ActDialog
          title={t("grant.take.title", { name: user.name })}
          text={t("grant.take.ask", { name: user.name, what: text.what(taking), where: text.where(taking) })}
          confirmText={t("grant.take")}
          danger
          isPending={save.isPending}
          error={save.error}
          onConfirm={() => save.mutate(withoutGiven(user, taking))}
          onClose={close}
        />
      )}
    </Card>
  );
}

function permissionsOf(given: Given, roles: readonly Role[]): readonly Permission[] {
  return isRole(given) ? (roles.find((role) => role.name === given.role)?.permissions ?? []) : [given.permission];
}
