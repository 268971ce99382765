import { Button, Label } from "@patternfly/react-core";
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { call } from "../api/client.ts";
import { useDenied } from "../api/session.ts";
import { discardPending, type PendingEdit, updatePending, usePending, withoutEdit } from "../editor/pending.ts";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { ReasonButton } from "../ui/reason-button.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { ReviewDialog } from "./review-dialog.tsx";

function actionOf(edit: PendingEdit): "create" | "edit" | "delete" {
  if (edit.text === null) return "delete";
  return edit.baseText === null ? "create" : "edit";
}

/** What is written and not yet reviewed, on every page: one change, reviewed and applied as one, or discarded. */
export function PendingBar(): ReactNode {
  const t = useT();
  const pending = usePending();
  const denied = useDenied();
  const pathname = useLocation({ select: (location) => location.pathname });
  const [dialog, setDialog] = useState<"review" | "discard" | null>(null);
  const discard = useMutation({
    mutationFn: async (): Promise<void> => {
      if (pending.changeId !== null)
        await call("withdrawChange", { params: { id: pending.changeId }, body: { reason: t("pending.discarded") } });
    },
    onSuccess: () => {
      discardPending();
      setDialog(null);
    },
  });
  // The review page has the same change in front of it.
  if (pending.edits.length === 0 || (pending.changeId !== null && pathname === paths.change(pending.changeId)))
    return null;

  return (
    <section className="hf-pending" aria-label={t("pending.label")}>
      <strong>{t("pending.count", { count: pending.edits.length })}</strong>
      <ul className="hf-pending-list">
        {pending.edits.map((edit) => (
          <li key={`${edit.kind}/${edit.name}`}>
            <Label
              isCompact
              color="purple"
              closeBtnAriaLabel={t("pending.drop", { name: edit.name })}
              onClose={() => updatePending((now) => withoutEdit(now, edit))}
            >
              {t(`item.${actionOf(edit)}`)}{" "}
              <AppLink
                to={
                  edit.text === null ? paths.document(edit.kind, edit.name) : paths.editDocument(edit.kind, edit.name)
                }
              >
                {edit.name}
              </AppLink>
            </Label>
          </li>
        ))}
      </ul>
      <div className="hf-actions">
        <ReasonButton size="sm" reason={denied("edit")} onClick={() => setDialog("review")}>
          {t("pending.review")}
        </ReasonButton>
        <Button size="sm" variant="link" onClick={() => setDialog("discard")}>
          {t("pending.discard")}
        </Button>
      </div>
      {dialog === "review" ? <ReviewDialog onClose={() => setDialog(null)} /> : null}
      {dialog === "discard" ? (
        <ActDialog
          title={t("pending.discard")}
          text={t("pending.discard.ask", {
            names: pending.edits.map((edit) => `${edit.kind}/${edit.name}`).join(", "),
          })}
          confirmText={t("pending.discard")}
          danger
          isPending={discard.isPending}
          error={discard.error}
          onConfirm={() => discard.mutate()}
          onClose={() => setDialog(null)}
        />
      ) : null}
    </section>
  );
}
