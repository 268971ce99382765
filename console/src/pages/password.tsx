import {
  ActionGroup,
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { call } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import { usePlace } from "../app/place.ts";
import { useT } from "../i18n/language.ts";
import { ProblemAlert } from "../parts/problem-alert.tsx";
import { paths } from "../paths.ts";
import { DoorFrame } from "./login.tsx";

/** As the API asks (changePasswordSchema). */
const LEAST_LENGTH = 12;

export function PasswordPage(): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const me = useQuery(queries.me());
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);

  const fault =
    next.length < LEAST_LENGTH
      ? t("password.short", { length: LEAST_LENGTH })
      : next === current
        ? t("password.same")
        : next !== again
          ? t("password.differ")
          : null;
  const change = useMutation({
    mutationFn: () => call("changePassword", { body: { current, next } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["me"] });
      place.replace(paths.overview());
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (fault === null && !change.isPending) change.mutate();
  };
  const forced = me.data?.mustChangePassword === true;

  return (
    <DoorFrame title={t("password.title")}>
      {forced ? <Alert component="p" isInline variant="info" title={t("password.forced")} /> : null}
      <Form onSubmit={submit}>
        <ProblemAlert error={change.error} title={t("password.failed")} />
        {/* A password manager needs to know whose password it is. */}
        <input type="text" name="username" autoComplete="username" value={me.data?.user ?? ""} readOnly hidden />
        <FormGroup label={t("password.current")} fieldId="current">
          <TextInput
            id="current"
            type="password"
            autoComplete="current-password"
            autoFocus
            value={current}
            onChange={(_event, value) => setCurrent(value)}
          />
        </FormGroup>
        <FormGroup label={t("password.next")} fieldId="next">
          <TextInput
            id="next"
            type="password"
            autoComplete="new-password"
            aria-describedby="next-help"
            value={next}
            onChange={(_event, value) => setNext(value)}
          />
        </FormGroup>
        <FormGroup label={t("password.again")} fieldId="again">
          <TextInput
            id="again"
            type="password"
            autoComplete="new-password"
            aria-describedby="next-help"
            value={again}
            onChange={(_event, value) => setAgain(value)}
          />
          <FormHelperText>
            <HelperText id="next-help" isLiveRegion>
              <HelperTextItem variant={tried && fault !== null ? "error" : "default"}>
                {fault ?? t("password.good")}
              </HelperTextItem>
            </HelperText>
          </FormHelperText>
        </FormGroup>
        <ActionGroup>
          <Button type="submit" isLoading={change.isPending}>
            {t("password.submit")}
          </Button>
          {forced ? null : (
            <Button variant="link" onClick={() => place.back()}>
              {t("action.cancel")}
            </Button>
          )}
        </ActionGroup>
      </Form>
    </DoorFrame>
  );
}
