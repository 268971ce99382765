import { Card, CardBody, CardTitle, Form, FormGroup, Label, TextInput } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TotpDialog } from "./totp-dialog.tsx";

/** The code of an authenticator: on or off, and how to change that. */
export function SecondFactorCard({ me }: { readonly me: Answer<"me"> }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [open, setOpen] = useState<"on" | "off" | null>(null);
  const [password, setPassword] = useState("");
  const remove = useMutation({
    mutationFn: () => call("removeTotp", { body: { password } }),
    onSuccess: () => setOpen(null),
    onSettled: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
  const close = (): void => {
    setOpen(null);
    setPassword("");
    remove.reset();
  };
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("totp.card")}</CardTitle>
      <CardBody className="hf-stack">
        <div className="hf-line-row">
          <Label isCompact color={me.secondFactor ? "green" : me.passkeys > 0 ? "grey" : "orange"}>
            {t(me.secondFactor ? "totp.isOn" : "totp.isOff")}
          </Label>
          <span>
            {t(me.secondFactor ? "totp.isOn.why" : me.passkeys > 0 ? "totp.isOff.passkey" : "totp.isOff.why")}
          </span>
        </div>
        <div className="hf-actions">
          <ReasonButton
            variant="secondary"
            size="sm"
            reason={me.secondFactor ? t("totp.onAlready") : null}
            onClick={() => setOpen("on")}
          >
            {t("totp.begin")}
          </ReasonButton>
          <ReasonButton
            variant="secondary"
            size="sm"
            isDanger
            reason={me.secondFactor ? null : t("totp.offAlready")}
            onClick={() => setOpen("off")}
          >
            {t("totp.remove")}
          </ReasonButton>
        </div>
      </CardBody>
      {open === "on" ? <TotpDialog user={me.user} onClose={close} /> : null}
      {open === "off" ? (
        <ActDialog
          title={t("totp.remove")}
          text={t("totp.remove.ask")}
          confirmText={t("totp.remove")}
          danger
          isPending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={close}
        >
          <Form className="hf-dialog-form" onSubmit={(event) => event.preventDefault()}>
            <FormGroup label={t("password.current")} fieldId="totp-remove-password" isRequired>
              <TextInput
                id="totp-remove-password"
                type="password"
                autoComplete="current-password"
                autoFocus
                value={password}
                onChange={(_event, value) => setPassword(value)}
              />
            </FormGroup>
          </Form>
        </ActDialog>
      ) : null}
    </Card>
  );
}
