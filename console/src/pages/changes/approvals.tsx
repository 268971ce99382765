import type { ChangeDetail } from "@holdfast/core/api/change.ts";
import { Button } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { useStepUp } from "../../parts/step-up.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";

/** How many others must have looked at it, why so many, who has; and the button of whoever looks now. */
export function Approvals({ change }: { readonly change: ChangeDetail }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const { needed, because, given } = change.approvals;
  const stepUp = useStepUp();
  const approve = useMutation({
    mutationFn: () =>
      stepUp.around(() => call("approveChange", { params: { id: change.id }, body: { digest: change.digest } })),
    onSettled: () => client.invalidateQueries(),
  });
  const takeBack = useMutation({
    mutationFn: () => call("withdrawApproval", { params: { id: change.id }, body: {} }),
    onSettled: () => client.invalidateQueries(),
  });
  const { data: me } = useQuery(queries.me());
  const isGiven = given.some(({ user }) => user === me?.user);
  if (needed === 0) return null;
  return (
    <div>
      <div className="hf-line-row">
        <span>
          {t("review.approvals", { given: given.length, needed })} {given.map(({ user }) => user).join(", ")}
        </span>
        {isGiven ? (
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={change.actions.withdrawApproval}
            isLoading={takeBack.isPending}
            onClick={() => takeBack.mutate()}
          >
            {t("review.takeBack")}
          </ReasonButton>
        ) : (
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={change.actions.approve}
            isLoading={approve.isPending}
            onClick={() => approve.mutate()}
          >
            {t("review.approve")}
          </ReasonButton>
        )}
      </div>
      {given.length >= needed ? null : because.map((why) => <p key={why}>{why}</p>)}
      <ProblemAlert error={approve.error ?? takeBack.error} title={t("act.failed")} />
      {stepUp.dialog}
    </div>
  );
}

interface BreakGlassProps {
  /** The servers, in words, as they are typed to go first. */
  readonly word: string;
  readonly change: ChangeDetail;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onBreak: (reason: string) => void;
}

/** Shown only where the floor lets a person apply before the approvals. */
export function BreakGlass({ word, change, isPending, error, onBreak }: BreakGlassProps): ReactNode {
  const t = useT();
  const [asked, setAsked] = useState(false);
  const { needed, given } = change.approvals;
  return (
    <>
      <Button variant="link" isDanger onClick={() => setAsked(true)}>
        {t("review.breakGlass")}
      </Button>
      {asked ? (
        <ActDialog
          title={t("review.breakGlass.title")}
          text={t("review.breakGlass.text", { missing: needed - given.length, needed })}
          confirmText={t("review.breakGlass.do")}
          wantsReason
          typed={word}
          danger
          isPending={isPending}
          error={error}
          onConfirm={onBreak}
          onClose={() => setAsked(false)}
        />
      ) : null}
    </>
  );
}
