import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { allGiven, isRole } from "./grants.ts";
import { SecretOnce } from "./secret-once.tsx";
import { type SignedIn, SignedInTable } from "./signed-in-table.tsx";
import { NewToken } from "./tokens.tsx";

type User = Answer<"listUsers">["items"][number];

/** What an account is signed in with. For a service also the making of a token: it has nobody to make one itself. */
export function UserSessions({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const sessions = useQuery(queries.userSessions(user.name));
  const roles = useQuery(queries.roles());
  const [ending, setEnding] = useState<SignedIn | null>(null);
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const again = (): Promise<void> => client.invalidateQueries({ queryKey: ["listUserSessions"] });
  const end = useMutation({
    mutationFn: ({ id }: SignedIn) => call("revokeUserSession", { params: { name: user.name, id } }),
    onSuccess: () => setEnding(null),
    onSettled: again,
  });
  const held = PERMISSIONS.filter((permission) =>
    allGiven(user).some((given) =>
      isRole(given)
        ? roles.data?.items.some((role) => role.name === given.role && role.permissions.includes(permission)) === true
        : given.permission === permission,
    ),
  );
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("user.sessions", { name: user.name })}</CardTitle>
      <CardBody className="hf-stack">
        <Loaded query={sessions} what={t("what.sessions")}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="hf-quiet">{t("user.sessions.none")}</p>
            ) : (
              <SignedInTable caption={t("user.sessions", { name: user.name })} items={items} onEnd={setEnding} />
            )
          }
        </Loaded>
        {user.kind === "service" ? (
          <div className="hf-actions">
            <ReasonButton
              size="sm"
              reason={user.disabled ? t("users.isDisabled") : held.length === 0 ? t("user.nothingForToken") : null}
              onClick={() => setMaking(true)}
            >
              {t("tokens.new")}
            </ReasonButton>
          </div>
        ) : null}
      </CardBody>
      {making ? (
        <NewToken
          offered={held}
          make={(body) => call("createServiceToken", { params: { name: user.name }, body })}
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setSecret(made);
            void again();
          }}
        />
      ) : null}
      {secret === null ? null : (
        <SecretOnce
          title={t("tokens.made")}
          secret={secret}
          text={t("tokens.made.how")}
          onClose={() => setSecret(null)}
        />
      )}
      {ending === null ? null : (
        <ActDialog
          title={t("signedIn.end")}
          text={
            ending.kind === "session"
              ? t("user.endSession.ask", { name: user.name, source: ending.source })
              : t("tokens.revoke.ask", { name: ending.name })
          }
          confirmText={t("signedIn.end")}
          danger
          isPending={end.isPending}
          error={end.error}
          onConfirm={() => end.mutate(ending)}
          onClose={() => {
            setEnding(null);
            end.reset();
          }}
        />
      )}
    </Card>
  );
}
