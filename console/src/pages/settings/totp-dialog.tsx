import {
  Alert,
  Button,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { QrCode } from "./qr-code.tsx";
import { RecoveryCodes } from "./recovery-codes.tsx";

/** An authenticator's code without the space in its middle. */
const codeOf = (text: string): string => text.replace(/\s/g, "");

/**
 * A second factor in three steps: who one is, the picture with its first code, the recovery codes. Until the code was right nothing is asked
 * for at the sign-in, so leaving in between locks nobody out.
 */
export function TotpDialog({ user, onClose }: { readonly user: string; readonly onClose: () => void }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const me = useQuery(queries.me());
  const [password, setPassword] = useState("");
  const [offered, setOffered] = useState<Answer<"offerTotp"> | null>(null);
  const [code, setCode] = useState("");
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const offer = useMutation({
    mutationFn: () => call("offerTotp", { body: { password } }),
    onSuccess: (answer) => {
      setPassword("");
      setOffered(answer);
    },
  });
  const confirm = useMutation({
    mutationFn: () => call("confirmTotp", { body: { code: codeOf(code) } }),
    onSuccess: (answer) => setCodes(answer.codes),
    onSettled: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
  // The answer with the codes was lost on the way: it asks for a code from now on, and nobody has the recovery codes.
  const isLost = codes === null && confirm.error !== null && me.data?.secondFactor === true;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (offered === null) {
      if (password !== "" && !offer.isPending) offer.mutate();
    } else if (codeOf(code) !== "" && !confirm.isPending) confirm.mutate();
  };
  return (
    <Modal
      isOpen
      variant="small"
      aria-labelledby="totp-title"
      // Codes that are shown once are not closed by a slip.
      {...(codes === null ? { onClose } : { onEscapePress: () => undefined })}
    >
      <ModalHeader title={codes === null ? t("totp.title") : t("recovery.title")} labelId="totp-title" />
      <ModalBody>
        {codes !== null ? (
          <RecoveryCodes user={user} codes={codes} />
        ) : isLost ? (
          <Alert component="p" isInline variant="warning" title={t("totp.lost")}>
            <p>{t("totp.lost.how")}</p>
          </Alert>
        ) : (
          <Form id="totp-form" onSubmit={submit}>
            {offered === null ? (
              <>
                <p>{t("totp.passwordFirst")}</p>
                <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
                <FormGroup label={t("password.current")} fieldId="totp-password" isRequired>
                  <TextInput
                    id="totp-password"
                    type="password"
                    autoComplete="current-password"
                    autoFocus
                    value={password}
                    onChange={(_event, value) => setPassword(value)}
                  />
                </FormGroup>
              </>
            ) : (
              <>
                <p>{t("totp.scan")}</p>
                <QrCode text={offered.uri} label={t("totp.picture")} />
                <div>
                  <p className="hf-quiet">{t("totp.byHand")}</p>
                  <CopyText text={offered.secret} block />
                </div>
                <FormGroup label={t("totp.code")} fieldId="totp-code" isRequired>
                  <TextInput
                    id="totp-code"
                    className="hf-short-select"
                    inputMode="numeric"
                    autoComplete="one-time-code"
                    autoFocus
                    value={code}
                    onChange={(_event, value) => setCode(value)}
                  />
                </FormGroup>
              </>
            )}
            <ProblemAlert error={offered === null ? offer.error : confirm.error} title={t("totp.failed")} />
          </Form>
        )}
      </ModalBody>
      <ModalFooter>
        {codes !== null || isLost ? (
          <Button onClick={onClose}>{codes === null ? t("action.close") : t("recovery.kept")}</Button>
        ) : (
          <>
            <Button
              type="submit"
              form="totp-form"
              isLoading={offer.isPending || confirm.isPending}
              isDisabled={offered === null ? password === "" : codeOf(code) === ""}
            >
              {offered === null ? t("totp.next") : t("totp.turnOn")}
            </Button>
            <Button variant="link" onClick={onClose}>
              {t("action.cancel")}
            </Button>
          </>
        )}
      </ModalFooter>
    </Modal>
  );
}
