import { ActionGroup, Alert, Button, Card, CardBody, Form, FormGroup, TextInput, Title } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { type Answer, call, Refused, setCsrfToken } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import icon from "../app/icon.svg";
import { usePlace } from "../app/place.ts";
import { PreferencesMenu } from "../app/preferences-menu.tsx";
import { useT } from "../i18n/language.ts";
import { ProblemAlert } from "../parts/problem-alert.tsx";
import { ProviderProblem } from "../parts/provider-problem.tsx";
import { paths, safeNext } from "../paths.ts";
import { PasskeyLogin } from "./passkey-login.tsx";

/** Before and around the login: nothing here tells a stranger what this installation holds. */
export function DoorFrame({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <main className="hf-door">
      <div className="hf-door-tools">
        <PreferencesMenu />
      </div>
      <Card className="hf-door-card">
        <CardBody>
          <div className="hf-logo hf-door-logo">
            <img src={icon} alt="" width={36} height={36} />
            <span>Holdfast</span>
          </div>
          <Title headingLevel="h1" size="lg">
            {title}
          </Title>
          {children}
        </CardBody>
      </Card>
    </main>
  );
}

export function LoginPage(): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const searchStr = useLocation({ select: (location) => location.searchStr });
  const search = new URLSearchParams(searchStr);
  const next = search.get("next") ?? undefined;
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");

  const login = useMutation({
    mutationFn: () => call("login", { body: { user, password, ...(code === "" ? {} : { code }) } }),
    onSuccess: (me) => enter(me),
  });
  const enter = (me: Answer<"login">): void => {
    setCsrfToken(me.csrfToken);
    client.setQueryData(["me"], me);
    place.replace(me.mustChangePassword ? paths.password() : safeNext(next));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!login.isPending) login.mutate();
  };
  const problem = login.error instanceof Refused ? login.error.problem : null;
  const asksPasskey = problem?.code === "account.passkey_needed";
  const asksCode =
    asksPasskey || problem?.code === "account.code_needed" || problem?.code === "account.wrong_code" || code !== "";
  const refused = problem?.code === "account.wrong_password";

  return (
    <DoorFrame title={t("login.title")}>
      {search.get("again") === null ? null : (
        <Alert isInline isPlain variant="info" component="p" title={t("login.again")} />
      )}
      <Form onSubmit={submit}>
        {refused ? (
          <Alert component="p" isInline variant="danger" title={t("login.refused")} />
        ) : problem?.code === "account.code_needed" ? (
          <Alert component="p" isInline variant="info" title={t("login.codeNeeded")} />
        ) : asksPasskey ? (
          <Alert component="p" isInline variant="info" title={t("login.passkeyNeeded")} />
        ) : problem?.code === "account.wrong_code" ? (
          <Alert component="p" isInline variant="danger" title={t("login.wrongCode")} />
        ) : (
          <ProblemAlert error={login.error} title={t("login.failed")} />
        )}
        <FormGroup label={t("login.user")} fieldId="user">
          <TextInput
            id="user"
            name="user"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            isRequired
            value={user}
            onChange={(_event, value) => setUser(value)}
          />
        </FormGroup>
        <FormGroup label={t("login.password")} fieldId="password">
          <TextInput
            id="password"
            name="password"
            type="password"
            autoComplete="current-password"
            isRequired
            value={password}
            onChange={(_event, value) => setPassword(value)}
          />
        </FormGroup>
        {asksCode ? (
          <FormGroup label={t("login.code")} fieldId="code">
            <TextInput
              id="code"
              name="code"
              autoComplete="one-time-code"
              autoFocus
              value={code}
              onChange={(_event, value) => setCode(value)}
            />
          </FormGroup>
        ) : null}
        <ActionGroup>
          <Button type="submit" isBlock isLoading={login.isPending}>
            {t("login.submit")}
          </Button>
        </ActionGroup>
      </Form>
      <ProviderButton next={safeNext(next)} />
      <PasskeyLogin onSignedIn={enter} />
    </DoorFrame>
  );
}

/** Leads away from here, to the provider, where one is configured. Without an answer there is only the password, which works without it. */
function ProviderButton({ next }: { readonly next: string }): ReactNode {
  const t = useT();
  const methods = useQuery(queries.signInMethods());
  const begin = useMutation({
    mutationFn: () => call("beginOidc", { body: { next } }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const label = methods.data?.oidc?.label;
  if (label === undefined) return null;
  return (
    <div className="hf-door-other">
      <ProviderProblem error={begin.error} />
      <Button
        variant="secondary"
        isBlock
        isLoading={begin.isPending || begin.isSuccess}
        onClick={() => {
          if (!begin.isPending && !begin.isSuccess) begin.mutate();
        }}
      >
        {t("login.provider", { label })}
      </Button>
    </div>
  );
}
