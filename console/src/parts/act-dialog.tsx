import { Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, TextInput } from "@patternfly/react-core";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { useT } from "../i18n/language.ts";
import { ProblemAlert } from "./problem-alert.tsx";

interface Props {
  readonly title: string;
  /** A sentence that names what will happen. */
  readonly text: string;
  readonly confirmText: string;
  readonly wantsReason?: boolean;
  /** A word that must be typed, where the risk is high. */
  readonly typed?: string;
  readonly danger?: boolean;
  /** What else keeps it from being confirmed, in words; null when nothing does. */
  readonly missing?: string | null;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onConfirm: (reason: string) => void;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

/** Asks before something is done. What was typed stays when it fails. */
export function ActDialog({
  title,
  text,
  confirmText,
  wantsReason = false,
  typed,
  danger = false,
  missing: other = null,
  isPending,
  error,
  onConfirm,
  onClose,
  children,
}: Props): ReactNode {
  const t = useT();
  const id = useId();
  const [reason, setReason] = useState("");
  const [word, setWord] = useState("");
  const missing =
    wantsReason && reason.trim() === ""
      ? t("dialog.reasonFirst")
      : typed !== undefined && word !== typed
        ? t("dialog.typeFirst", { word: typed })
        : other;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (missing === null && !isPending) onConfirm(reason.trim());
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`}>
      <ModalHeader
        title={title}
        labelId={`${id}-title`}
        {...(danger ? { titleIconVariant: "warning" as const } : {})}
      />
      <ModalBody>
        <p id={`${id}-text`}>{text}</p>
        {children}
        <Form id={`${id}-form`} onSubmit={submit} className="hf-dialog-form">
          {wantsReason ? (
            <FormGroup label={t("dialog.reason")} fieldId={`${id}-reason`} isRequired>
              <TextInput id={`${id}-reason`} value={reason} onChange={(_event, value) => setReason(value)} autoFocus />
            </FormGroup>
          ) : null}
          {typed === undefined ? null : (
            <FormGroup label={t("dialog.type", { word: typed })} fieldId={`${id}-word`} isRequired>
              <TextInput
                id={`${id}-word`}
                value={word}
                onChange={(_event, value) => setWord(value)}
                autoComplete="off"
                spellCheck={false}
              />
            </FormGroup>
          )}
        </Form>
        <ProblemAlert error={error} title={t("act.failed")} />
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form={`${id}-form`}
          variant={danger ? "danger" : "primary"}
          isLoading={isPending}
          isDisabled={missing !== null}
          aria-describedby={`${id}-missing`}
        >
          {confirmText}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
        <span id={`${id}-missing`} className="hf-quiet">
          {missing ?? ""}
        </span>
      </ModalFooter>
    </Modal>
  );
}
