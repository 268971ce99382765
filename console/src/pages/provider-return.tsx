import { ActionGroup, Alert, Button, Form, FormGroup, Spinner, TextInput } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type Answer, call, Refused, setCsrfToken } from "../api/client.ts";
import { usePlace } from "../app/place.ts";
import { useT } from "../i18n/language.ts";
import { ProviderProblem } from "../parts/provider-problem.tsx";
import { paths, safeNext } from "../paths.ts";
import { DoorFrame } from "./login.tsx";

/**
 * Where the provider sends the browser back to. Opening this address does nothing by itself: the page takes what it was given out of the
 * address, so that it stays in no history, and sends it on with what only this browser keeps.
 */
export function ProviderReturnPage(): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const [code, setCode] = useState("");

  const enter = ({ me, next }: Answer<"finishOidc">): void => {
    if (me === null) return;
    setCsrfToken(me.csrfToken);
    client.setQueryData(["me"], me);
    place.replace(me.mustChangePassword ? paths.password() : safeNext(next));
  };
  const finish = useMutation({
    mutationFn: (given: URLSearchParams) => call("finishOidc", { body: bodyOf(given) }),
    onSuccess: enter,
  });
  const second = useMutation({ mutationFn: () => call("finishOidcCode", { body: { code } }), onSuccess: enter });

  // Once: what was given is good for one try.
  const begun = useRef(false);
  const { mutate } = finish;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    const given = new URLSearchParams(window.location.search);
    place.replace(paths.providerReturn());
    mutate(given);
  }, [place, mutate]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!second.isPending && code !== "") second.mutate();
  };
  const asksCode = finish.data?.me === null;
  const isWrong = second.error instanceof Refused && second.error.problem.code === "account.wrong_code";

  return (
    <DoorFrame title={t("login.title")}>
      {finish.isPending || finish.isIdle ? <Spinner aria-label={t("provider.finishing")} /> : null}
      <ProviderProblem error={finish.error} />
      {asksCode ? (
        <Form onSubmit={submit}>
          <Alert component="p" isInline variant="info" title={t("provider.code")} />
          {isWrong ? (
            <Alert component="p" isInline variant="danger" title={t("login.wrongCode")} />
          ) : (
            <ProviderProblem error={second.error} />
          )}
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
          <ActionGroup>
            <Button type="submit" isBlock isLoading={second.isPending}>
              {t("login.submit")}
            </Button>
          </ActionGroup>
        </Form>
      ) : null}
      {finish.isError || second.isError ? (
        <Button variant="link" onClick={() => place.replace(paths.login())}>
          {t("provider.back")}
        </Button>
      ) : null}
    </DoorFrame>
  );
}

function bodyOf(given: URLSearchParams) {
  const part = (name: string) => {
    const value = given.get(name);
    return value === null ? {} : { [name]: value };
  };
  return { state: given.get("state") ?? "none", ...part("code"), ...part("iss"), ...part("error") };
}
