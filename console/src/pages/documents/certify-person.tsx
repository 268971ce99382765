import { withCertificate } from "@holdfast/core/policy/certify-person.ts";
import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { call } from "../../api/client.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { certifiable, type CertifyGap, type CertifyWish, gapIn } from "../../editor/certify.ts";
import { type PendingEdit, updatePending, withEdit } from "../../editor/pending.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { Input, Lines } from "./wizard-fields.tsx";

const GAP_TEXT = {
  who: "certify.gap.who",
  revoked: "certify.gap.revoked",
  identity: "certify.gap.identity",
  private: "certify.gap.private",
  request: "certify.gap.request",
} as const satisfies Record<CertifyGap, MessageKey>;

/** Offered where people of this tunnel can have certificates. Whatever is pending of the document is edited, and nothing is applied here. */
export function CertifyPerson({ edit }: { readonly edit: PendingEdit }): ReactNode {
  const t = useT();
  const denied = useDenied()("edit");
  const [isOpen, setOpen] = useState(false);
  if (edit.text === null || (!isOpen && certifiable(edit.text) === null)) return null;
  return (
    <>
      <ReasonButton variant="secondary" reason={denied} onClick={() => setOpen(true)}>
        {t("certify.open")}
      </ReasonButton>
      {isOpen ? <CertifyDialog edit={edit} text={edit.text} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

/** From the request of a person's device to their certificate, in the pending change beside them. */
function CertifyDialog({
  edit,
  text,
  onClose,
}: {
  readonly edit: PendingEdit;
  readonly text: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const id = useId();
  const { name } = edit;
  const people = certifiable(text);
  const [wish, setWish] = useState<CertifyWish>({ person: "", identity: "", request: "" });
  const place = people?.placeOf(wish.person) ?? null;
  const gap = gapIn(wish, place);
  const issue = useMutation({
    mutationFn: async () => {
      if (place === null) throw new Error(t("certify.gap.who"));
      const { person, identity, request } = wish;
      const issued = await call("certifyPerson", {
        body: { server: place.server, tunnel: name, person, identity, request },
      });
      const edited = withCertificate(text, place, { identity, pem: issued.pem });
      if (edited.ok) updatePending((now) => withEdit(now, { ...edit, text: edited.value }));
      return { pem: issued.pem, person, problem: edited.ok ? null : edited.error };
    },
  });
  if (issue.data !== undefined) return <Issued name={name} {...issue.data} onClose={onClose} />;
  const known = (person: string): string => people?.placeOf(person)?.known?.identity ?? wish.identity;
  return (
    <FormDialog
      title={t("certify.title")}
      text={t("certify.sub")}
      submitText={t("certify.issue")}
      missing={people === null ? t("certify.gap.text") : gap === null ? null : t(GAP_TEXT[gap])}
      isPending={issue.isPending}
      error={issue.error}
      failed="certify.failed"
      onSubmit={() => issue.mutate()}
      onClose={onClose}
    >
      <div className="hf-form hf-stack">
        <Input
          label={t("certify.person")}
          value={wish.person}
          list={`${id}-people`}
          onChange={(person) => setWish({ ...wish, person, identity: known(person) })}
        />
        <datalist id={`${id}-people`}>
          {(people?.people ?? []).map((person) => (
            <option key={person} value={person} />
          ))}
        </datalist>
        <Input
          label={t("certify.identity")}
          help={t("certify.identity.help")}
          value={wish.identity}
          placeholder="alice@example.com"
          onChange={(identity) => setWish({ ...wish, identity })}
        />
        <Lines
          label={t("certify.request")}
          help={t("certify.request.help")}
          value={wish.request}
          placeholder="-----BEGIN CERTIFICATE REQUEST-----"
          onChange={(request) => setWish({ ...wish, request })}
        />
      </div>
      {gap === "private" ? <Alert isInline variant="danger" component="p" title={t("certify.gap.private")} /> : null}
    </FormDialog>
  );
}

/** What is sent to the person, and where the rest of the way goes. */
function Issued({
  name,
  person,
  pem,
  problem,
  onClose,
}: {
  readonly name: string;
  readonly person: string;
  readonly pem: string;
  readonly problem: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const id = useId();
  const place = usePlace();
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={t("certify.done", { person })} labelId={`${id}-title`} />
      <ModalBody>
        <div className="hf-stack">
          {problem === null ? (
            <p>{t("certify.next", { person })}</p>
          ) : (
            <Alert isInline variant="warning" component="p" title={t("certify.byHand", { person })}>
              {problem}
            </Alert>
          )}
          <pre className="hf-diff" tabIndex={0} role="region" aria-label={t("certify.pem")}>
            {pem}
          </pre>
          <CopyText text={pem} shown={t("certify.copy")} />
        </div>
      </ModalBody>
      <ModalFooter>
        <Button
          onClick={() => {
            onClose();
            place.go(paths.editDocument("Tunnel", name, { view: "difference" }));
          }}
        >
          {t("certify.look")}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t("action.close")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
