import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { CopyText } from "../../ui/copy-text.tsx";

interface Props {
  readonly title: string;
  readonly secret: string;
  readonly text: string;
  readonly onClose: () => void;
}

/** A secret that is shown once: closed only by a button that says so, never by a slip. */
export function SecretOnce({ title, secret, text, onClose }: Props): ReactNode {
  const t = useT();
  return (
    <Modal isOpen variant="small" aria-labelledby="secret-title" onEscapePress={() => undefined}>
      <ModalHeader title={title} labelId="secret-title" />
      <ModalBody>
        <Alert component="p" isInline isPlain variant="warning" title={t("secret.once")} />
        <p>{text}</p>
        <CopyText text={secret} block />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{t("secret.kept")}</Button>
      </ModalFooter>
    </Modal>
  );
}
