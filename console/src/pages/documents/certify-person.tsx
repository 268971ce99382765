import { withCertificate } from "@holdfast/core/policy/certify-person.ts";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { call } from "../../api/client.ts";
import { useDenied } from "../../api/session.ts";
import { certifiable, type CertifyGap, type CertifyWish, gapIn } from "../../editor/certify.ts";
import { type PendingEdit, updatePending, withEdit } from "../../editor/pending.ts";
import { useRequests } from "../../editor/use-requests.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { IssuedCertificates } from "./issued-certificates.tsx";
import { RequestField } from "./request-field.tsx";
import { Input } from "./wizard-fields.tsx";

export const GAP_TEXT = {
  who: "certify.gap.who",
  revoked: "certify.gap.revoked",
  identity: "certify.gap.identity",
  taken: "certify.gap.taken",
  request: "certify.gap.request",
  asking: "certify.asking",
  holder: "certify.gap.holder",
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

/**
 * From the request of a person's device to their certificate, in the pending change beside them.
 *
 * @param person who it is for, where that is known
 */
export function CertifyDialog({
  edit,
  text,
  person: asked = "",
  onClose,
}: {
  readonly edit: PendingEdit;
  readonly text: string;
  readonly person?: string;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const id = useId();
  const { name } = edit;
  const people = certifiable(text);
  const known = (person: string): string | undefined => people?.placeOf(person)?.known?.identity;
  const [wish, setWish] = useState<CertifyWish>({ person: asked, identity: known(asked) ?? "" });
  const [request, setRequest] = useState("");
  const [reading = { state: "none" as const }] = useRequests(people?.server ?? "", [request]);
  const place = people?.placeOf(wish.person) ?? null;
  const gap = gapIn(wish, place, people?.people ?? [], reading);
  const issue = useMutation({
    mutationFn: async () => {
      if (place === null) throw new Error(t("certify.gap.who"));
      const { person, identity } = wish;
      const certificate = await call("certifyPerson", {
        body: { server: place.server, tunnel: name, person, identity, request },
      });
      const edited = withCertificate(text, place, { identity, pem: certificate.pem });
      if (edited.ok) updatePending((now) => withEdit(now, { ...edit, text: edited.value }));
      return { issued: [{ person, certificate }], problem: edited.ok ? null : edited.error };
    },
  });
  if (issue.data !== undefined) return <IssuedCertificates tunnel={name} {...issue.data} onClose={onClose} />;
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
          onChange={(person) => setWish({ person, identity: known(person) ?? wish.identity })}
        />
        <datalist id={`${id}-people`}>
          {(people?.people ?? []).map((person) => (
            <option key={person.name} value={person.name} />
          ))}
        </datalist>
        <Input
          label={t("certify.identity")}
          help={t("certify.identity.help")}
          value={wish.identity}
          placeholder="alice@example.com"
          onChange={(identity) => setWish({ ...wish, identity })}
        />
        <RequestField
          person={wish.person}
          identity={wish.identity}
          value={request}
          reading={reading}
          onChange={setRequest}
        />
      </div>
    </FormDialog>
  );
}
