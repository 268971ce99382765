import { SECRET_LENGTH, type Secret } from "@holdfast/core/api/secret.ts";
import { FormGroup, Radio, TextInput } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { paths } from "../../paths.ts";
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
  const documents = [...new Set(secret.usedBy.map((use) => use.document))].join(", ");
  return (
    <FormDialog
      title={t("secrets.rotateOf", { name: secret.name })}
      text={t("secrets.rotate.ask", { documents })}
      submitText={t("secrets.rotate.do")}
      missing={missing}
      isPending={rotate.isPending}
      error={rotate.error}
      failed="secrets.failed"
      onSubmit={() => rotate.mutate()}
      onClose={onClose}
    >
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
    </FormDialog>
  );
}
