import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { type ReactNode, useId } from "react";
import type { Answer } from "../../api/client.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { TimeText } from "../../ui/time-text.tsx";

export interface IssuedCertificate {
  readonly person: string;
  readonly certificate: Answer<"certifyPerson">;
}

interface Props {
  readonly tunnel: string;
  readonly issued: readonly IssuedCertificate[];
  /** Why the text of the tunnel could not take them; null: they stand in the pending change. */
  readonly problem: string | null;
  readonly onClose: () => void;
}

/** What is sent to each person, and where the rest of the way goes. */
export function IssuedCertificates({ tunnel, issued, problem, onClose }: Props): ReactNode {
  const t = useT();
  const id = useId();
  const place = usePlace();
  const people = issued.map(({ person }) => person).join(", ");
  const authorities = [...new Set(issued.map(({ certificate }) => certificate.authorityPem))];
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={t("certify.done", { person: people })} labelId={`${id}-title`} />
      <ModalBody>
        <div className="hf-stack">
          {problem === null ? (
            <p>{t("certify.next", { person: people })}</p>
          ) : (
            <Alert isInline variant="warning" component="p" title={t("certify.byHand", { person: people })}>
              {problem}
            </Alert>
          )}
          {issued.map(({ person, certificate }) => (
            <Handed
              key={person}
              title={`${person} · ${certificate.identity}`}
              file={`${person}-${tunnel}.crt`}
              pem={certificate.pem}
            >
              {t("certify.ends")} <TimeText at={certificate.notAfter} isEnd /> · {t("certify.due")}{" "}
              <TimeText at={certificate.dueAt} isEnd />
            </Handed>
          ))}
          {authorities.map((pem) => (
            <Handed key={pem} title={t("certify.authority")} file="holdfast-authority.crt" pem={pem}>
              {t("certify.authority.help")}
            </Handed>
          ))}
        </div>
      </ModalBody>
      <ModalFooter>
        <Button
          onClick={() => {
            onClose();
            place.go(paths.editDocument("Tunnel", tunnel, { view: "difference" }));
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

/** One file to hand over: to be copied, kept, or read. */
function Handed({
  title,
  file,
  pem,
  children,
}: {
  readonly title: string;
  readonly file: string;
  readonly pem: string;
  readonly children: ReactNode;
}): ReactNode {
  const t = useT();
  return (
    <section className="hf-handed" aria-label={title}>
      <h2>{title}</h2>
      <p className="hf-quiet hf-small">{children}</p>
      <div className="hf-actions">
        <Button size="sm" variant="secondary" onClick={() => saveFile(file, pem, "application/x-pem-file")}>
          {t("certify.save", { file })}
        </Button>
        <CopyText text={pem} shown={t("certify.copyPem")} />
      </div>
      <details>
        <summary>{t("certify.pem")}</summary>
        <pre className="hf-diff" tabIndex={0} role="region" aria-label={title}>
          {pem}
        </pre>
      </details>
    </section>
  );
}
