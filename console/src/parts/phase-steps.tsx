import type { ApplyState, Phase } from "@holdfast/core/apply/state.ts";
import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";
import { PHASE_TEXT } from "./state-badge.tsx";

const FORWARD = [
  "dispatched",
  "prepared",
  "armed",
  "changing",
  "on_trial",
  "confirming",
  "finalizing",
] as const satisfies readonly Phase[];

type Mark = "done" | "here" | "ahead";
const SIGN = { done: "✓", here: "●", ahead: "○" } as const satisfies Record<Mark, string>;

/** The way of a host transaction with the place where it is. Where the order says nothing (undo, doubt), only the place. */
export function PhaseSteps({ phase, state }: { readonly phase: Phase | null; readonly state: ApplyState }): ReactNode {
  const t = useT();
  const at = FORWARD.findIndex((step) => step === phase);
  if (phase === null || at < 0 || state !== "APPLYING") {
    return phase === null ? null : (
      <p>
        <strong>{t(PHASE_TEXT[phase])}.</strong> {t(`${PHASE_TEXT[phase]}.why`)}
      </p>
    );
  }
  return (
    <>
      <ol className="hf-phases" aria-label={t("apply.phases")}>
        {FORWARD.map((step, index) => {
          const mark: Mark = index < at ? "done" : index === at ? "here" : "ahead";
          return (
            <li key={step} data-mark={mark} {...(mark === "here" ? { "aria-current": "step" as const } : {})}>
              <span aria-hidden="true">{SIGN[mark]}</span> {t(PHASE_TEXT[step])}
            </li>
          );
        })}
      </ol>
      <p className="hf-quiet">{t(`${PHASE_TEXT[phase]}.why`)}</p>
    </>
  );
}
