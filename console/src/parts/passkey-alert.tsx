import { Alert } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { NoPasskey } from "../api/passkeys.ts";
import { useT } from "../i18n/language.ts";
import { ProblemAlert } from "./problem-alert.tsx";

/** A ceremony that came to nothing: the person changed their mind, or the control plane refused. */
export function PasskeyAlert({ error, title }: { readonly error: Error | null; readonly title: string }): ReactNode {
  const t = useT();
  if (!(error instanceof NoPasskey)) return <ProblemAlert error={error} title={title} />;
  return (
    <Alert component="p" isInline variant="warning" title={t("passkey.none")}>
      <p>{t("passkey.none.why")}</p>
    </Alert>
  );
}
