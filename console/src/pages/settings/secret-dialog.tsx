import { SECRET_LENGTH, type Secret } from "@holdfast/core/api/secret.ts";
import { Alert, FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";

/** The etag of a secret that is not there yet. */
const NONE = "0";

/** Writes a value: a new secret, or a new version of one. Typed without being shown, and never sent back. */
export function SecretDialog({
  secret,
  onClose,
}: {
  readonly secret: Secret | null;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState(secret?.name ?? "");
  const [value, setValue] = useState("");
  const put = useMutation({
    mutationFn: () => call("putSecret", { params: { name }, body: { value }, ifMatch: secret?.etag ?? NONE }),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries({ queryKey: ["listSecrets"] }),
  });
  const missing =
    name === ""
      ? t("secrets.nameFirst")
      : value.length < SECRET_LENGTH.least
        ? t("secrets.short", SECRET_LENGTH)
        : null;
  return (
    <FormDialog
      title={secret === null ? t("secrets.new") : t("secrets.putOf", { name: secret.name })}
      submitText={t("secrets.write")}
      missing={missing}
      isPending={put.isPending}
      error={put.error}
      failed="secrets.failed"
      onSubmit={() => put.mutate()}
      onClose={onClose}
    >
      {secret === null ? (
        <FormGroup label={t("secrets.name")} fieldId="secret-name" isRequired>
          <TextInput
            id="secret-name"
            value={name}
            onChange={(_event, next) => setName(next)}
            autoComplete="off"
            spellCheck={false}
            placeholder="acme-vpn"
            autoFocus
          />
        </FormGroup>
      ) : (
        <Alert isInline isPlain variant="info" component="p" title={t("secrets.put.why")} />
      )}
      <SecretValue value={value} onChange={setValue} />
    </FormDialog>
  );
}

/** A field whose content nobody beside reads, and which no password manager keeps. */
export function SecretValue({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const t = useT();
  return (
    <FormGroup label={t("secrets.value")} fieldId="secret-value" isRequired>
      <TextInput
        id="secret-value"
        type="password"
        autoComplete="new-password"
        spellCheck={false}
        value={value}
        onChange={(_event, next) => onChange(next)}
        aria-describedby="secret-value-help"
      />
      <FormHelperText>
        <HelperText id="secret-value-help">
          <HelperTextItem>{t("secrets.value.help", SECRET_LENGTH)}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
