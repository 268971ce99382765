import type { PersonWay } from "@holdfast/core/policy/tunnel-people.ts";
import { Label } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { certifiable } from "../../editor/certify.ts";
import { type PendingEdit, updatePending, withEdit } from "../../editor/pending.ts";
import { isSamePem, peopleIn, revokedIn, type ToldPerson } from "../../editor/tunnel-people.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { useNowMs } from "../../ui/now.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { CertifyDialog, CertifyPerson } from "./certify-person.tsx";

const WAY_TEXT = {
  psk: "people.way.psk",
  password: "people.way.password",
  certificate: "people.way.certificate",
} as const satisfies Record<PersonWay, MessageKey>;

type Asked = { readonly act: "certify" | "revoke" | "readmit"; readonly person: string };

/**
 * Who may come in by this tunnel, by what and until when; and what there is to do with each of them. Every act edits the pending change, and nothing is applied
 * here: a press by mistake is taken back there.
 */
export function TunnelPeople({ edit }: { readonly edit: PendingEdit }): ReactNode {
  const t = useT();
  const denied = useDenied()("edit");
  const [asked, setAsked] = useState<Asked | null>(null);
  const { text } = edit;
  const people = text === null ? [] : peopleIn(text);
  if (text === null || people.length === 0) return null;
  const canCertify = certifiable(text) !== null;
  const close = (): void => setAsked(null);
  return (
    <section>
      <h2 className="hf-small-title">{t("people.title")}</h2>
      <table className="hf-table">
        <caption className="hf-sr">{t("people.title")}</caption>
        <TableHead columns={["vpn.person", "people.way", "people.standing", { hidden: "people.acts" }]} />
        <tbody>
          {people.map((person) => (
            <tr key={person.name}>
              <td data-label={t("vpn.person")}>
                <strong>{person.name}</strong> <span className="hf-quiet">{person.identity}</span>
              </td>
              <td data-label={t("people.way")}>{person.way === null ? "" : t(WAY_TEXT[person.way])}</td>
              <td data-label={t("people.standing")}>
                <Standing tunnel={edit.name} person={person} />
              </td>
              <td>
                <div className="hf-actions">
                  {canCertify && person.revoked === null ? (
                    <ReasonButton
                      size="sm"
                      variant="secondary"
                      reason={denied}
                      aria-label={`${t(person.way === "certificate" ? "people.renew" : "people.certify")} ${person.name}`}
                      onClick={() => setAsked({ act: "certify", person: person.name })}
                    >
                      {t(person.way === "certificate" ? "people.renew" : "people.certify")}
                    </ReasonButton>
                  ) : null}
                  {person.revoked === null ? (
                    <ReasonButton
                      size="sm"
                      variant="secondary"
                      isDanger
                      reason={denied}
                      aria-label={`${t("people.revoke")} ${person.name}`}
                      onClick={() => setAsked({ act: "revoke", person: person.name })}
                    >
                      {t("people.revoke")}
                    </ReasonButton>
                  ) : (
                    <ReasonButton
                      size="sm"
                      variant="secondary"
                      reason={denied ?? (person.way === null ? t("people.readmit.nothing") : null)}
                      aria-label={`${t("people.readmit")} ${person.name}`}
                      onClick={() => setAsked({ act: "readmit", person: person.name })}
                    >
                      {t("people.readmit")}
                    </ReasonButton>
                  )}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="hf-tab">
        <CertifyPerson edit={edit} />
      </div>
      {asked?.act === "certify" ? (
        <CertifyDialog edit={edit} text={text} person={asked.person} onClose={close} />
      ) : null}
      {asked?.act === "revoke" || asked?.act === "readmit" ? (
        <Shut edit={edit} text={text} person={asked.person} isOut={asked.act === "revoke"} onClose={close} />
      ) : null}
    </section>
  );
}

/** Whether they may come in, and of a certificate until when. */
function Standing({ tunnel, person }: { readonly tunnel: string; readonly person: ToldPerson }): ReactNode {
  const t = useT();
  const nowMs = useNowMs();
  const certified = useQuery({ ...queries.certifiedPeople(), enabled: person.certificate !== null });
  const { revoked, certificate } = person;
  if (revoked !== null)
    return (
      <>
        <Label isCompact color="red">
          {t("people.revoked")}
        </Label>{" "}
        {revoked}
      </>
    );
  if (certificate === null) return t("people.mayIn");
  const listed = certified.data?.find(
    (one) => one.tunnel === tunnel && one.person === person.name && isSamePem(one.pem, certificate),
  );
  if (listed === undefined) return t(certified.data === undefined ? "people.mayIn" : "people.certificate.pending");
  return (
    <>
      {Date.parse(listed.dueAt) > nowMs ? null : (
        <>
          <Label isCompact color={Date.parse(listed.notAfter) > nowMs ? "yellow" : "red"}>
            {t("people.due")}
          </Label>{" "}
        </>
      )}
      {t("certify.ends")} <TimeText at={listed.notAfter} isEnd /> · {t("certify.due")}{" "}
      <TimeText at={listed.dueAt} isEnd />
      {listed.as.includes("in_force") ? null : <div className="hf-quiet">{t("certified.inForce.no")}</div>}
    </>
  );
}

/** One is shut out, or let in again, in the pending change. */
function Shut({
  edit,
  text,
  person,
  isOut,
  onClose,
}: {
  readonly edit: PendingEdit;
  readonly text: string;
  readonly person: string;
  readonly isOut: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const [problem, setProblem] = useState<Error | null>(null);
  const put = (reason: string): void => {
    const edited = revokedIn(text, person, isOut ? reason : null);
    if (!edited.ok) {
      setProblem(new Error(edited.error));
      return;
    }
    updatePending((now) => withEdit(now, { ...edit, text: edited.value }));
    onClose();
  };
  return (
    <ActDialog
      title={t(isOut ? "people.revoke.title" : "people.readmit.title", { person })}
      text={t(isOut ? "people.revoke.ask" : "people.readmit.ask", { person })}
      confirmText={t("wizard.put")}
      danger={isOut}
      wantsReason={isOut}
      isPending={false}
      error={problem}
      onConfirm={put}
      onClose={onClose}
    />
  );
}
