import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { SecretOnce } from "./secret-once.tsx";
import { signsInWith } from "./signs-in-with.ts";

type User = Answer<"listUsers">["items"][number];
type Act = "reset" | "totp" | "disable" | "enable";

/** What an administrator does about how somebody signs in. Each says what will happen before it does. */
export function UserActs({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const { name } = user;
  const [open, setOpen] = useState<Act | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  const params = { name };
  const run = {
    reset: async () => setPassword((await call("resetUserPassword", { params, body: {} })).password),
    totp: () => call("resetUserTotp", { params, body: {} }),
    disable: () => call("disableUser", { params, body: {} }),
    enable: () => call("enableUser", { params, body: {} }),
  } as const satisfies Record<Act, () => Promise<unknown>>;
  const act = useMutation({
    mutationFn: (which: Act): Promise<unknown> => run[which](),
    onSuccess: () => setOpen(null),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["listUsers"] }),
        client.invalidateQueries({ queryKey: ["listUserSessions"] }),
      ]),
  });
  const closed = user.disabled ? t("users.isDisabled") : null;
  const { data: me } = useQuery(queries.me());
  const isOwn = me?.user === name ? t("users.isOwn") : null;
  const isService = user.kind === "service" ? t("user.isService") : null;
  const words = {
    reset: { title: t("users.reset"), text: t("users.reset.ask", { name }) },
    totp: { title: t("user.resetTotp"), text: t("user.resetTotp.ask", { name }) },
    disable: { title: t("users.disable"), text: t("users.disable.ask", { name }) },
    enable: { title: t("users.enable"), text: t("users.enable.ask", { name }) },
  } as const satisfies Record<Act, { title: string; text: string }>;
  return (
    <>
      <div className="hf-actions">
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={isService ?? closed ?? isOwn}
          onClick={() => setOpen("reset")}
        >
          {t("users.reset")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={isService ?? (signsInWith(user) !== "withPassword" ? null : t("user.noSecondFactor"))}
          onClick={() => setOpen("totp")}
        >
          {t("user.resetTotp")}
        </ReasonButton>
        {user.disabled ? (
          <ReasonButton size="sm" variant="secondary" reason={null} onClick={() => setOpen("enable")}>
            {t("users.enable")}
          </ReasonButton>
        ) : (
          <ReasonButton size="sm" variant="secondary" isDanger reason={null} onClick={() => setOpen("disable")}>
            {t("users.disable")}
          </ReasonButton>
        )}
      </div>
      {open === null ? null : (
        <ActDialog
          {...words[open]}
          confirmText={words[open].title}
          danger={open !== "enable"}
          {...(open === "disable" ? { typed: name } : {})}
          isPending={act.isPending}
          error={act.error}
          onConfirm={() => act.mutate(open)}
          onClose={() => {
            setOpen(null);
            act.reset();
          }}
        />
      )}
      {password === null ? null : (
        <SecretOnce
          title={t("users.password")}
          secret={password}
          text={t("users.password.how")}
          onClose={() => setPassword(null)}
        />
      )}
    </>
  );
}
