import type { ApplyDetail } from "@holdfast/core/api/apply.ts";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { z } from "zod";
import { call, Refused } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import { usePlace } from "../app/place.ts";
import { type MessageKey, useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";
import { ReasonButton } from "../ui/reason-button.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { ProblemAlert } from "./problem-alert.tsx";
import { useStepUp } from "./step-up.tsx";

const ACTS = [
  "confirm",
  "abort",
  "retry",
  "rollback",
  "forceClose",
] as const satisfies readonly (keyof ApplyDetail["actions"])[];
type Act = (typeof ACTS)[number];

interface Row {
  readonly run: (id: string, reason: string) => Promise<unknown>;
  readonly text: MessageKey;
  /** What will happen, in a sentence; asked before it is done. Null: done at once. */
  readonly ask: MessageKey | null;
  readonly wantsReason: boolean;
  readonly variant: "primary" | "danger" | "secondary" | "warning";
}

const ROWS = {
  confirm: {
    run: confirm,
    text: "act.confirm",
    ask: null,
    wantsReason: false,
    variant: "primary",
  },
  abort: {
    run: (id, reason) => call("abortApply", { params: { id }, body: { reason } }),
    text: "act.abort",
    ask: "act.abort.ask",
    wantsReason: true,
    variant: "danger",
  },
  retry: {
    run: (id) => call("retryApply", { params: { id }, body: {} }),
    text: "act.retry",
    ask: "act.retry.ask",
    wantsReason: false,
    variant: "secondary",
  },
  rollback: {
    run: (id) => call("rollbackApply", { params: { id }, body: {} }),
    text: "act.rollback",
    ask: "act.rollback.ask",
    wantsReason: false,
    variant: "secondary",
  },
  forceClose: {
    run: (id, reason) => call("forceCloseApply", { params: { id }, body: { reason } }),
    text: "act.forceClose",
    ask: "act.forceClose.ask",
    wantsReason: true,
    variant: "secondary",
  },
} as const satisfies Record<Act, Row>;

/** A browser keeps so many connections to one host at most (all that are known keep six), and sends on whichever is free. */
const MOST_CONNECTIONS = 6;

/** Every connection of this browser may be older than the change; one that is refused for it is closed, so the next request comes by another. */
async function confirm(id: string): Promise<unknown> {
  for (let old = 0; ; old += 1) {
    try {
      return await call("confirmApply", { params: { id }, body: {} });
    } catch (error) {
      const isTooOld = error instanceof Refused && error.problem.code === "apply.connection_too_old";
      if (!isTooOld || old >= MOST_CONNECTIONS) throw error;
    }
  }
}

/** A retry or a rollback answers with a rollout of its own. */
const rolloutAnswer = z.object({ id: z.string(), waves: z.array(z.unknown()) });

/** Confirm, abort, retry, roll back: each with the control plane's own reason when it cannot be done. */
export function ApplyActs({
  id,
  server,
  detail,
}: {
  readonly id: string;
  readonly server: string;
  readonly detail?: ApplyDetail;
}): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const asked = useQuery({ ...queries.apply(id), enabled: detail === undefined });
  const actions = (detail ?? asked.data)?.actions;
  const changeId = (detail ?? asked.data)?.changeId;
  const [asking, setAsking] = useState<Act | null>(null);

  const stepUp = useStepUp();
  const run = useMutation({
    mutationFn: ({ act, reason }: { act: Act; reason: string }): Promise<unknown> =>
      stepUp.around((): Promise<unknown> => ROWS[act].run(id, reason)),
    onSuccess: (answer) => {
      setAsking(null);
      const rollout = rolloutAnswer.safeParse(answer);
      if (rollout.success) place.go(paths.rollout(rollout.data.id));
    },
    // Whatever came of it, also of a lost answer: ask for the truth.
    onSettled: () => client.invalidateQueries(),
  });
  const press = (act: Act): void => (ROWS[act].ask === null ? run.mutate({ act, reason: "" }) : setAsking(act));
  if (actions === undefined) return <p className="hf-quiet">{t("load.waiting", { what: t("what.actions") })}</p>;

  return (
    <>
      <div className="hf-actions">
        {ACTS.map((act) => (
          <ReasonButton
            key={act}
            size="sm"
            variant={actions[act] === null ? ROWS[act].variant : "secondary"}
            reason={actions[act]}
            onClick={() => press(act)}
          >
            {t(ROWS[act].text)}
          </ReasonButton>
        ))}
      </div>
      {asking === null ? <ProblemAlert error={run.error} title={t("act.failed")} /> : null}
      {asking === null ? null : (
        <ActDialog
          title={t(ROWS[asking].text)}
          text={t(ROWS[asking].ask ?? ROWS[asking].text, { server })}
          confirmText={t(ROWS[asking].text)}
          wantsReason={ROWS[asking].wantsReason}
          danger={asking !== "retry"}
          isPending={run.isPending}
          error={run.error}
          onConfirm={(reason) => run.mutate({ act: asking, reason })}
          onClose={() => {
            setAsking(null);
            run.reset();
          }}
        >
          {asking === "rollback" && run.error instanceof Refused && changeId !== undefined ? (
            // One press is not enough where somebody has to look first: the change plans its rollback and shows it.
            <p>
              <AppLink to={paths.change(changeId)}>{t("act.rollback.look")}</AppLink>
            </p>
          ) : null}
        </ActDialog>
      )}
      {stepUp.dialog}
    </>
  );
}
