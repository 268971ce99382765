import { Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { type FormEvent, type ReactNode, useId } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";
import { ReasonButton } from "../ui/reason-button.tsx";
import { ProblemAlert } from "./problem-alert.tsx";

interface Props {
  readonly title: string;
  /** What it is for, above the fields. */
  readonly text?: string;
  readonly submitText: string;
  /** What keeps it from being sent, in words; null when nothing does. */
  readonly missing: string | null;
  readonly isPending?: boolean;
  readonly error?: Error | null;
  /** Said above why it failed. */
  readonly failed?: MessageKey;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  /** The fields. */
  readonly children: ReactNode;
}

/** Fields that are sent together, by Enter too. What was typed stays when it fails, and it is sent once however often it is pressed. */
export function FormDialog(props: Props): ReactNode {
  const { title, text, submitText, missing, isPending = false, error = null, failed = "act.failed" } = props;
  const t = useT();
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (missing === null && !isPending) props.onSubmit();
  };
  return (
    <Modal
      isOpen
      variant="small"
      onClose={props.onClose}
      aria-labelledby={`${id}-title`}
      {...(text === undefined ? {} : { "aria-describedby": `${id}-text` })}
    >
      <ModalHeader title={title} labelId={`${id}-title`} />
      <ModalBody>
        {text === undefined ? null : <p id={`${id}-text`}>{text}</p>}
        <Form
          id={`${id}-form`}
          onSubmit={submit}
          autoComplete="off"
          {...(text === undefined ? {} : { className: "hf-dialog-form" })}
        >
          {props.children}
        </Form>
        <ProblemAlert error={error} title={t(failed)} />
      </ModalBody>
      <ModalFooter>
        <ReasonButton type="submit" form={`${id}-form`} reason={missing} isLoading={isPending}>
          {submitText}
        </ReasonButton>
        <Button variant="link" onClick={props.onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
