import {
  Button,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextArea,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Refused } from "../api/client.ts";
import { usePlace } from "../app/place.ts";
import { updatePending, usePending } from "../editor/pending.ts";
import { sendForReview } from "../editor/send-for-review.ts";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { ProblemAlert } from "./problem-alert.tsx";

/** Gives the pending change a name, sends it, and asks every server concerned what it would do. Nothing is applied. */
export function ReviewDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const pending = usePending();
  const [title, setTitle] = useState(
    pending.title === ""
      ? t("review.title.proposed", { names: pending.edits.map((edit) => edit.name).join(", ") }).slice(0, 200)
      : pending.title,
  );
  const [reason, setReason] = useState(pending.reason);

  const send = useMutation({
    mutationFn: () => sendForReview({ ...pending, title, reason }),
    onSuccess: (change) => {
      client.setQueryData(["getChange", { id: change.id }, {}], change);
      onClose();
      place.go(paths.change(change.id));
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (title.trim() === "" || send.isPending) return;
    updatePending((now) => ({ ...now, title, reason }));
    send.mutate();
  };
  const [first] = pending.edits;
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="review-title">
      <ModalHeader title={t("pending.review")} labelId="review-title" description={t("review.sub")} />
      <ModalBody>
        <Form id="review-form" onSubmit={submit}>
          <FormGroup label={t("review.name")} fieldId="review-name" isRequired>
            <TextInput
              id="review-name"
              value={title}
              onChange={(_event, value) => setTitle(value)}
              maxLength={200}
              autoFocus
            />
          </FormGroup>
          <FormGroup label={t("review.reason")} fieldId="review-reason">
            <TextArea
              id="review-reason"
              value={reason}
              onChange={(_event, value) => setReason(value)}
              maxLength={4000}
              rows={3}
              resizeOrientation="vertical"
            />
          </FormGroup>
        </Form>
        <ProblemAlert error={send.error} title={t("review.failed")}>
          {send.error instanceof Refused && send.error.problem.code === "change.base_moved" && first !== undefined ? (
            <p>
              {t("review.moved")}{" "}
              <AppLink
                to={paths.editDocument(first.kind, first.name)}
                onClick={onClose}
              >{`${first.kind}/${first.name}`}</AppLink>
            </p>
          ) : null}
        </ProblemAlert>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="review-form" isLoading={send.isPending} isDisabled={title.trim() === ""}>
          {send.isPending ? t("review.asking") : t("review.ask")}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
