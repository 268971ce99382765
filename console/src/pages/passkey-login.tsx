import { Button } from "@patternfly/react-core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, call } from "../api/client.ts";
import { knowsPasskeys, showPasskey } from "../api/passkeys.ts";
import { useT } from "../i18n/language.ts";
import { PasskeyAlert } from "../parts/passkey-alert.tsx";

/** The way in without a password. Not shown where the browser knows no passkeys: there it could only disappoint. */
export function PasskeyLogin({ onSignedIn }: { readonly onSignedIn: (me: Answer<"login">) => void }): ReactNode {
  const t = useT();
  const signIn = useMutation({
    mutationFn: async () => {
      const { options } = await call("beginPasskeySignIn", { body: {} });
      return call("signInWithPasskey", { body: { passkey: await showPasskey(options) } });
    },
    onSuccess: onSignedIn,
  });
  if (!knowsPasskeys()) return null;
  return (
    <div className="hf-stack hf-door-more">
      <PasskeyAlert error={signIn.error} title={t("login.failed")} />
      <Button variant="secondary" isBlock isLoading={signIn.isPending} onClick={() => signIn.mutate()}>
        {t("login.passkey")}
      </Button>
    </div>
  );
}
