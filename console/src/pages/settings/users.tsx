import type { Permission } from "@holdfast/core/api/account.ts";
import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { Alert, FormGroup, Label, Radio, TextInput } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { allGiven, isRole, labelsText } from "./grants.ts";
import { PermissionBoxes } from "./permission-boxes.tsx";
import { SecretOnce } from "./secret-once.tsx";
import { signsInWith } from "./signs-in-with.ts";

type User = Answer<"listUsers">["items"][number];

export function UsersPage(): ReactNode {
  const t = useT();
  const place = usePlace();
  const denied = useDenied()("admin");
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ name: string; password: string } | null>(null);
  return (
    <>
      <PageHead
        title={t("nav.users")}
        sub={t("users.sub")}
        actions={
          <ReasonButton reason={denied} onClick={() => setMaking(true)}>
            {t("users.new")}
          </ReasonButton>
        }
      />
      <PageBody>
        {denied === null ? <UserTable /> : <Alert component="p" isInline variant="info" title={denied} />}
      </PageBody>
      {making ? (
        <NewAccount
          onClose={() => setMaking(false)}
          onPerson={(account) => {
            setMaking(false);
            setMade(account);
          }}
        />
      ) : null}
      {made === null ? null : (
        <SecretOnce
          title={t("users.password")}
          secret={made.password}
          text={t("users.password.how")}
          // What the account may do, and where, is said on its own page.
          onClose={() => place.go(paths.user(made.name))}
        />
      )}
    </>
  );
}

function UserTable(): ReactNode {
  const t = useT();
  const users = useQuery(queries.users());
  return (
    <Loaded query={users} what={t("what.users")}>
      {(items) => (
        <table className="hf-table">
          <caption className="hf-sr">{t("nav.users")}</caption>
          <TableHead columns={["users.name", "users.permissions", "users.signsIn"]} />
          <tbody>
            {items.map((user) => (
              <tr key={user.name}>
                <td data-label={t("users.name")}>
                  <span className="hf-badges">
                    <AppLink to={paths.user(user.name)}>{user.name}</AppLink>
                    <UserMarks user={user} />
                  </span>
                </td>
                <td data-label={t("users.permissions")}>
                  <span className="hf-labels">
                    {allGiven(user).map((given) => {
                      const what = isRole(given) ? t("users.role", { name: given.role }) : given.permission;
                      const where = [labelsText(given.scope), given.domains?.join(", ") ?? ""];
                      return (
                        <span key={`${what} ${where.join(" ")}`} className="hf-label-pair">
                          {[what, ...where].filter((part) => part !== "").join(" · ")}
                        </span>
                      );
                    })}
                    {allGiven(user).length === 0 ? <span className="hf-quiet">{t("users.nothing")}</span> : null}
                  </span>
                </td>
                <td data-label={t("users.signsIn")}>
                  {user.kind === "service" ? t("users.withTokens") : t(`users.${signsInWith(user)}`)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Loaded>
  );
}

/** What sets this account apart. */
export function UserMarks({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  return (
    <>
      {user.kind === "service" ? (
        <Label isCompact color="blue">
          {t("users.service")}
        </Label>
      ) : null}
      {user.disabled ? <Label isCompact>{t("users.disabled")}</Label> : null}
      {user.mustChangePassword ? (
        <Label isCompact color="orange">
          {t("users.oneTime")}
        </Label>
      ) : null}
    </>
  );
}

interface NewAccountProps {
  readonly onClose: () => void;
  readonly onPerson: (account: { name: string; password: string }) => void;
}

function NewAccount({ onClose, onPerson }: NewAccountProps): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<User["kind"]>("person");
  const [chosen, setChosen] = useState<readonly Permission[]>(["view"]);
  const make = useMutation({
    mutationFn: async () => {
      const body = { name, permissions: [...chosen] };
      if (kind === "person") onPerson(await call("createUser", { body }));
      else {
        await call("createService", { body });
        place.go(paths.user(name));
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["listUsers"] }),
  });
  return (
    <FormDialog
      title={t("users.new")}
      submitText={t("users.make")}
      missing={name === "" ? t("dialog.nameFirst") : null}
      isPending={make.isPending}
      error={make.error}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <FormGroup label={t("users.name")} fieldId="user-name" isRequired>
        <TextInput
          id="user-name"
          value={name}
          onChange={(_event, value) => setName(value)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
        />
      </FormGroup>
      <FormGroup label={t("users.kind")} role="radiogroup" fieldId="user-kind">
        <div className="hf-boxes">
          {(["person", "service"] as const).map((one) => (
            <Radio
              key={one}
              id={`user-kind-${one}`}
              name="user-kind"
              label={t(`users.kind.${one}`)}
              description={t(`users.kind.${one}.why`)}
              isChecked={kind === one}
              onChange={() => setKind(one)}
            />
          ))}
        </div>
      </FormGroup>
      <div>
        <PermissionBoxes chosen={chosen} offered={PERMISSIONS} onChange={setChosen} />
        <p className="hf-quiet">{t("users.narrowLater")}</p>
      </div>
    </FormDialog>
  );
}
