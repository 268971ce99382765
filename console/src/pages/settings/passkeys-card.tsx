import {
  Button,
  Card,
  CardBody,
  CardTitle,
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
import { knowsPasskeys, makePasskey } from "../../api/passkeys.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { PasskeyAlert } from "../../parts/passkey-alert.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { SecretOnce } from "./secret-once.tsx";

type Passkey = Answer<"listPasskeys">["items"][number];

/** What is open above the card. */
type Open = { readonly kind: "new" } | { readonly kind: "rename" | "remove"; readonly passkey: Passkey };

/** The passkeys of the account: made here, because only a browser can; named, and given up. */
export function PasskeysCard(): ReactNode {
  const t = useT();
  const passkeys = useQuery(queries.passkeys());
  const [open, setOpen] = useState<Open | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("passkeys.title")}</CardTitle>
      <CardBody className="hf-stack">
        <p className="hf-quiet">{t("passkeys.sub")}</p>
        <Loaded query={passkeys} what={t("passkeys.title")}>
          {({ items }) =>
            items.length === 0 ? (
              <p>{t("passkeys.empty")}</p>
            ) : (
              <ul className="hf-stack" aria-label={t("passkeys.title")}>
                {items.map((passkey) => (
                  <li key={passkey.id} className="hf-line-row">
                    <span>
                      <strong>{passkey.name}</strong>{" "}
                      <span className="hf-quiet">
                        {t(passkey.synced ? "passkeys.synced" : "passkeys.oneDevice")} · {t("tokens.used")}:{" "}
                        {passkey.lastUsedAt === null ? t("never") : <TimeText at={passkey.lastUsedAt} />}
                      </span>
                    </span>
                    <span className="hf-actions">
                      <Button
                        size="sm"
                        variant="link"
                        isInline
                        aria-label={t("passkeys.renameOne", { name: passkey.name })}
                        onClick={() => setOpen({ kind: "rename", passkey })}
                      >
                        {t("passkeys.rename")}
                      </Button>
                      <Button
                        size="sm"
                        variant="link"
                        isDanger
                        isInline
                        aria-label={t("passkeys.removeOne", { name: passkey.name })}
                        onClick={() => setOpen({ kind: "remove", passkey })}
                      >
                        {t("passkeys.remove")}
                      </Button>
                    </span>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
        <div className="hf-actions">
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={knowsPasskeys() ? null : t("passkeys.unknownHere")}
            onClick={() => setOpen({ kind: "new" })}
          >
            {t("passkeys.new")}
          </ReasonButton>
        </div>
      </CardBody>
      {open?.kind === "new" ? <NewPasskey onClose={() => setOpen(null)} onCodes={setCodes} /> : null}
      {open?.kind === "rename" ? <RenamePasskey passkey={open.passkey} onClose={() => setOpen(null)} /> : null}
      {open?.kind === "remove" ? <RemovePasskey passkey={open.passkey} onClose={() => setOpen(null)} /> : null}
      {codes.length === 0 ? null : (
        <SecretOnce
          title={t("passkeys.codes")}
          text={t("passkeys.codes.how")}
          secret={codes.join("\n")}
          onClose={() => setCodes([])}
        />
      )}
    </Card>
  );
}

interface OneProps {
  readonly passkey: Passkey;
  readonly onClose: () => void;
}

function NewPasskey({
  onClose,
  onCodes,
}: {
  readonly onClose: () => void;
  readonly onCodes: (codes: readonly string[]) => void;
}): ReactNode {
  const t = useT();
  const look = useLookAgain();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const make = useMutation({
    mutationFn: async () => {
      const { options } = await call("beginPasskey", { body: { password } });
      return call("addPasskey", { body: { name: name.trim(), passkey: await makePasskey(options) } });
    },
    onSuccess: ({ recoveryCodes }) => {
      onClose();
      onCodes(recoveryCodes);
    },
    onSettled: look,
  });
  return (
    <Asking
      title={t("passkeys.new")}
      text={t("passkeys.new.how")}
      submit={t("passkeys.make")}
      isReady={name.trim() !== "" && password !== ""}
      isPending={make.isPending}
      error={make.error}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <PasswordField value={password} onChange={setPassword} />
    </Asking>
  );
}

function RenamePasskey({ passkey, onClose }: OneProps): ReactNode {
  const t = useT();
  const look = useLookAgain();
  const [name, setName] = useState(passkey.name);
  const rename = useMutation({
    mutationFn: () => call("renamePasskey", { params: { id: passkey.id }, body: { name: name.trim() } }),
    onSuccess: onClose,
    onSettled: look,
  });
  return (
    <Asking
      title={t("passkeys.rename.title")}
      submit={t("passkeys.rename")}
      isReady={name.trim() !== ""}
      isPending={rename.isPending}
      error={rename.error}
      onSubmit={() => rename.mutate()}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
    </Asking>
  );
}

function RemovePasskey({ passkey, onClose }: OneProps): ReactNode {
  const t = useT();
  const look = useLookAgain();
  const [password, setPassword] = useState("");
  const remove = useMutation({
    mutationFn: () => call("removePasskey", { params: { id: passkey.id }, body: { password } }),
    onSuccess: onClose,
    onSettled: look,
  });
  return (
    <Asking
      title={t("passkeys.remove.title")}
      text={t("passkeys.remove.ask", { name: passkey.name })}
      submit={t("passkeys.remove")}
      isDanger
      isReady={password !== ""}
      isPending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <PasswordField value={password} onChange={setPassword} />
    </Asking>
  );
}

/** Passkeys stand in the list, and are counted in `me`. */
function useLookAgain(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: ["listPasskeys"] });
    await client.invalidateQueries({ queryKey: ["me"] });
  };
}

interface AskingProps {
  readonly title: string;
  readonly text?: string;
  readonly submit: string;
  readonly isDanger?: boolean;
  readonly isReady: boolean;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Asking(props: AskingProps): ReactNode {
  const t = useT();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (props.isReady && !props.isPending) props.onSubmit();
  };
  return (
    <Modal isOpen variant="small" onClose={props.onClose} aria-labelledby="passkey-title">
      <ModalHeader title={props.title} labelId="passkey-title" />
      <ModalBody>
        <div className="hf-stack">
          {props.text === undefined ? null : <p>{props.text}</p>}
          <Form id="passkey-form" onSubmit={submit}>
            {props.children}
          </Form>
          <PasskeyAlert error={props.error} title={t("act.failed")} />
        </div>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="passkey-form"
          variant={props.isDanger === true ? "danger" : "primary"}
          isLoading={props.isPending}
          isDisabled={!props.isReady}
        >
          {props.submit}
        </Button>
        <Button variant="link" onClick={props.onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

interface FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function NameField({ value, onChange }: FieldProps): ReactNode {
  const t = useT();
  return (
    <FormGroup label={t("tokens.name")} fieldId="passkey-name" isRequired>
      <TextInput
        id="passkey-name"
        value={value}
        onChange={(_event, text) => onChange(text)}
        maxLength={60}
        placeholder={t("passkeys.example")}
        autoFocus
      />
    </FormGroup>
  );
}

function PasswordField({ value, onChange }: FieldProps): ReactNode {
  const t = useT();
  return (
    <FormGroup label={t("password.current")} fieldId="passkey-password" isRequired>
      <TextInput
        id="passkey-password"
        type="password"
        autoComplete="current-password"
        value={value}
        onChange={(_event, text) => onChange(text)}
      />
    </FormGroup>
  );
}
