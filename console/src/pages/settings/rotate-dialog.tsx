import { SECRET_LENGTH, type Secret } from "@holdfast/core/api/secret.ts";
import {
  Button,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Radio,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { SecretValue } from "./secret-dialog.tsx";

/** A new version and a draft that names it; no server hears of either before the draft is applied. */
export function RotateDialog({
  secret,
  onClose,
}: {
  readonly secret: Secret;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const [making, setMaking] = useState(true);
  const [value, setValue] = useState("");
  const [reason, setReason] = useState("");
  const rotate = useMutation({
    mutationFn: () =>
      call("rotateSecret", { params: { name: secret.name }, body: { reason, ...(making ? {} : { value }) } }),
    onSuccess: (change) => place.go(paths.change(change.id)),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["listSecrets"] }),
        client.invalidateQueries({ queryKey: ["listChanges"] }),
      ]),
  });
  const missing = !making && value.length < SECRET_LENGTH.least ? t("secrets.short", SECRET_LENGTH) : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (missing === null && !rotate.isPending) rotate.mutate();
  };
  const documents = [...new Set(secret.usedBy.map((use) => use.document))].join(", ");
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="rotate-title" aria-describedby="rotate-text">
      <ModalHeader title={t("secrets.rotateOf", { name: secret.name })} labelId="rotate-title" />
      <ModalBody>
        <p id="rotate-text">{t("secrets.rotate.ask", { documents })}</p>
        <Form id="rotate-form" onSubmit={submit} className="hf-dialog-form" autoComplete="off">
          <FormGroup label={t("secrets.value")} role="radiogroup" fieldId="rotate-how">
            <div className="hf-boxes">
              <Radio
                id="rotate-make"
                name="rotate-how"
                label={t("secrets.make")}
                description={t("secrets.make.why")}
                isChecked={making}
                onChange={() => setMaking(true)}
              />
              <Radio
                id="rotate-type"
                name="rotate-how"
                label={t("secrets.type")}
                description={secret.kind === "generated" ? t("secrets.put.generated") : t("secrets.type.why")}
                isDisabled={secret.kind === "generated"}
                isChecked={!making}
                onChange={() => setMaking(false)}
              />
            </div>
          </FormGroup>
          {making ? null : <SecretValue value={value} onChange={setValue} />}
          <FormGroup label={t("secrets.why")} fieldId="rotate-reason">
            <TextInput id="rotate-reason" value={reason} onChange={(_event, next) => setReason(next)} />
          </FormGroup>
        </Form>
        <ProblemAlert error={rotate.error} title={t("secrets.failed")} />
      </ModalBody>
      <ModalFooter>
        <ReasonButton type="submit" form="rotate-form" reason={missing} isLoading={rotate.isPending}>
          {t("secrets.rotate.do")}
        </ReasonButton>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
