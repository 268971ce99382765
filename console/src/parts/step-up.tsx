import { Alert, Button, Form, FormGroup, Modal, ModalBody, ModalHeader, TextInput } from "@patternfly/react-core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { call, Refused } from "../api/client.ts";
import { knowsPasskeys, showPasskey } from "../api/passkeys.ts";
import { queries } from "../api/queries.ts";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { PasskeyAlert } from "./passkey-alert.tsx";

/** Somebody waits for the dialog's end: the request goes on, or ends with what it was refused with. */
interface Waiting {
  readonly refusal: Refused;
  readonly goOn: () => void;
  readonly giveUp: () => void;
}

export interface StepUp {
  /** Sends something; where the floor asks for a second factor first, asks the person, and sends the same again. */
  readonly around: <T>(send: () => Promise<T>) => Promise<T>;
  /** To be rendered wherever `around` is used. */
  readonly dialog: ReactNode;
}

export function useStepUp(): StepUp {
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const around = async <T,>(send: () => Promise<T>): Promise<T> => {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Refused) || error.problem.code !== "access.step_up_needed") throw error;
      await new Promise<void>((resolve, reject) =>
        setWaiting({ refusal: error, goOn: resolve, giveUp: () => reject(error) }),
      );
      return send();
    }
  };
  const end = (how: "goOn" | "giveUp"): void => {
    waiting?.[how]();
    setWaiting(null);
  };
  return {
    around,
    dialog:
      waiting === null ? null : (
        <StepUpDialog refusal={waiting.refusal} onShown={() => end("goOn")} onClose={() => end("giveUp")} />
      ),
  };
}

interface DialogProps {
  readonly refusal: Refused;
  readonly onShown: () => void;
  readonly onClose: () => void;
}

function StepUpDialog({ refusal, onShown, onClose }: DialogProps): ReactNode {
  const t = useT();
  const { data: me } = useQuery(queries.me());
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const byPasskey = useMutation({
    mutationFn: async () => {
      const { options } = await call("beginStepUp", { body: {} });
      return call("stepUp", { body: { passkey: await showPasskey(options) } });
    },
    onSuccess: onShown,
  });
  const byCode = useMutation({
    mutationFn: () => call("stepUp", { body: { password, code } }),
    onSuccess: onShown,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (password !== "" && code !== "" && !byCode.isPending) byCode.mutate();
  };
  const hasPasskey = (me?.passkeys ?? 0) > 0;
  const hasNone = me !== undefined && !hasPasskey && !me.secondFactor;
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="step-up-title" aria-describedby="step-up-text">
      <ModalHeader title={t("stepUp.title")} labelId="step-up-title" />
      <ModalBody>
        <div className="hf-stack">
          <p id="step-up-text">{refusal.problem.detail}</p>
          {hasNone ? (
            <Alert component="p" isInline variant="warning" title={t("stepUp.noFactor")}>
              <p>
                <AppLink to={paths.account()}>{t("stepUp.setUp")}</AppLink>
              </p>
            </Alert>
          ) : (
            <p className="hf-quiet">{t("stepUp.goesOn")}</p>
          )}
          {hasPasskey && knowsPasskeys() ? (
            <>
              <PasskeyAlert error={byPasskey.error} title={t("act.failed")} />
              <Button isBlock isLoading={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
                {t("stepUp.passkey")}
              </Button>
              <p className="hf-quiet">{t(me?.secondFactor === true ? "stepUp.orCode" : "stepUp.orRecovery")}</p>
            </>
          ) : null}
          {hasNone ? null : (
            <Form onSubmit={submit}>
              <PasskeyAlert error={byCode.error} title={t("act.failed")} />
              {/* A password manager needs to know whose password it is. */}
              <input type="text" name="username" autoComplete="username" value={me?.user ?? ""} readOnly hidden />
              <FormGroup label={t("login.password")} fieldId="step-up-password">
                <TextInput
                  id="step-up-password"
                  type="password"
                  autoComplete="current-password"
                  value={password}
                  onChange={(_event, value) => setPassword(value)}
                />
              </FormGroup>
              <FormGroup label={t("login.code")} fieldId="step-up-code">
                <TextInput
                  id="step-up-code"
                  autoComplete="one-time-code"
                  value={code}
                  onChange={(_event, value) => setCode(value)}
                />
              </FormGroup>
              <div className="hf-actions">
                <Button
                  type="submit"
                  variant={hasPasskey ? "secondary" : "primary"}
                  isLoading={byCode.isPending}
                  isDisabled={password === "" || code === ""}
                >
                  {t("stepUp.submit")}
                </Button>
                <Button variant="link" onClick={onClose}>
                  {t("action.cancel")}
                </Button>
              </div>
            </Form>
          )}
        </div>
      </ModalBody>
    </Modal>
  );
}
