import type { ProblemCode } from "@holdfast/core/api/problem-code.ts";
import { Alert, Content } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Refused } from "../api/client.ts";
import { type MessageKey, useT } from "../i18n/language.ts";
import { ProblemAlert } from "./problem-alert.tsx";

/** What a person who signs in hears; the two that only an administrator meets while linking are not among them. */
type Heard = Exclude<Extract<ProblemCode, `oidc.${string}`>, "oidc.already_linked" | "oidc.subject_taken">;

const WORDS = {
  "oidc.account_closed": "provider.oidc.account_closed",
  "oidc.not_begun_here": "provider.oidc.not_begun_here",
  "oidc.not_configured": "provider.oidc.not_configured",
  "oidc.not_linked": "provider.oidc.not_linked",
  "oidc.provider_refused": "provider.oidc.provider_refused",
  "oidc.provider_unreachable": "provider.oidc.provider_unreachable",
  "oidc.role_unfit": "provider.oidc.role_unfit",
  "oidc.token_invalid": "provider.oidc.token_invalid",
  "oidc.too_late": "provider.oidc.too_late",
  "oidc.used": "provider.oidc.used",
} as const satisfies Record<Heard, MessageKey>;

function isHeard(code: string): code is Heard {
  return Object.hasOwn(WORDS, code);
}

/** Why a sign-in by the provider did not come to its end, in the reader's language. */
export function ProviderProblem({ error }: { readonly error: Error | null }): ReactNode {
  const t = useT();
  const problem = error instanceof Refused ? error.problem : null;
  if (problem === null || !isHeard(problem.code)) return <ProblemAlert error={error} title={t("provider.failed")} />;
  return (
    <Alert component="p" isInline variant="danger" title={t("provider.failed")}>
      <Content component="p">{t(WORDS[problem.code])}</Content>
      {/* It names the subject, which an administrator needs letter by letter. */}
      {problem.code === "oidc.not_linked" ? <Content component="p">{problem.detail}</Content> : null}
    </Alert>
  );
}
