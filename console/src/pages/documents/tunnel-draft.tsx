import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { type ReactNode, useId } from "react";
import { usePlace } from "../../app/place.ts";
import { beginNew, type KnownDocument } from "../../editor/new-document.ts";
import { updatePending, usePending, withEdit } from "../../editor/pending.ts";
import { sheetsOf } from "../../editor/tunnel-wizard.ts";
import { useValidation, type Validation } from "../../editor/use-validation.ts";
import { useT } from "../../i18n/language.ts";
import { FindingList } from "../../parts/findings.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { Sheet } from "./sheet.tsx";
import { TAKEN_TEXT } from "./wizard-fields.tsx";

/** A Tunnel document that a wizard writes, on its way into the pending change. */
export interface TunnelDraft {
  readonly name: string;
  readonly text: string;
  readonly validation: Validation;
  /** Why it cannot be put there yet; null: it can. */
  readonly reason: string | null;
  /** Into the pending change, as it is or with what was issued for it meanwhile. False: somebody has begun one of this name since. */
  readonly keep: (text: string) => boolean;
  readonly put: () => void;
}

/** @param unready what the wizard itself still misses, in words, before anybody looks at the findings */
export function useTunnelDraft({
  known,
  name,
  text,
  unready,
}: {
  readonly known: readonly KnownDocument[];
  readonly name: string;
  readonly text: string;
  readonly unready: string | null;
}): TunnelDraft {
  const t = useT();
  const place = usePlace();
  const validation = useValidation(text);
  const begun = beginNew(known, usePending(), { kind: "Tunnel", name, text });
  const errors = validation.findings.filter(({ severity }) => severity === "error");
  const reason =
    (begun.ok ? null : t(TAKEN_TEXT[begun.error], { name })) ??
    unready ??
    (validation.state === "checking" ? t("editor.checking") : null) ??
    (errors.length > 0 ? t("wizard.errors", { count: errors.length }) : null);
  const keep = (wanted: string): boolean => {
    if (!begun.ok) return false;
    updatePending((pending) => withEdit(pending, { ...begun.value, text: wanted }));
    return true;
  };
  const put = (): void => {
    if (keep(text)) place.go(paths.editDocument("Tunnel", name, { view: "form" }));
  };
  return { name, text, validation, reason, keep, put };
}

export interface DraftAct {
  readonly text: string;
  readonly isPending: boolean;
  readonly error: Error | null;
  /** Said above why it failed. */
  readonly failed: string;
  readonly onClick: () => void;
}

/**
 * The dialog around it: below what is asked the document as it stands, what is wrong with it and who is handed what; and why it cannot go into the
 * pending change yet, beside the button.
 */
export function TunnelDraftDialog({
  title,
  sub,
  draft: { name, text, validation, reason, put },
  isBegun,
  act,
  onClose,
  children,
}: {
  readonly title: string;
  readonly sub: string;
  readonly draft: TunnelDraft;
  /** So much is filled in that findings help. */
  readonly isBegun: boolean;
  /** What the button does where more has to happen than to put it there. */
  readonly act?: DraftAct;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const t = useT();
  const id = useId();
  return (
    <Modal isOpen variant="large" onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={title} labelId={`${id}-title`} description={sub} />
      <ModalBody>
        <div className="hf-stack hf-form">
          {children}
          {isBegun ? <FindingList findings={validation.findings} /> : null}
          <details>
            <summary>{t("wizard.text")}</summary>
            <pre className="hf-diff" tabIndex={0} role="region" aria-label={t("wizard.text")}>
              {text}
            </pre>
          </details>
          {sheetsOf(text).map((sheet) => (
            <Sheet key={sheet.reader} tunnel={name} sheet={sheet} />
          ))}
          <ProblemAlert error={act?.error ?? null} title={act?.failed ?? ""} />
        </div>
      </ModalBody>
      <ModalFooter>
        <ReasonButton reason={reason} isLoading={act?.isPending ?? false} onClick={act?.onClick ?? put}>
          {act?.text ?? t("wizard.put")}
        </ReasonButton>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
        {reason === null ? null : <span className="hf-quiet">{reason}</span>}
      </ModalFooter>
    </Modal>
  );
}
