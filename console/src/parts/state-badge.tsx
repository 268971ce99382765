import type { ApplyState, Effect, Phase, ServerIs } from "@holdfast/core/apply/state.ts";
import { Label, type LabelProps } from "@patternfly/react-core";
import BanIcon from "@patternfly/react-icons/dist/esm/icons/ban-icon";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import OutlinedClockIcon from "@patternfly/react-icons/dist/esm/icons/outlined-clock-icon";
import PencilAltIcon from "@patternfly/react-icons/dist/esm/icons/pencil-alt-icon";
import QuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/question-circle-icon";
import UndoIcon from "@patternfly/react-icons/dist/esm/icons/undo-icon";
import type { ComponentType, ReactNode } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";

interface Look {
  readonly color: NonNullable<LabelProps["color"]>;
  readonly icon: ComponentType;
  readonly text: MessageKey;
}

/** Colour, picture and word, so that no state is told by colour alone. */
export const STATE_LOOK = {
  DRAFT: { color: "grey", icon: PencilAltIcon, text: "state.DRAFT" },
  READY: { color: "blue", icon: OutlinedClockIcon, text: "state.READY" },
  APPLYING: { color: "blue", icon: InProgressIcon, text: "state.APPLYING" },
  APPLIED: { color: "green", icon: CheckCircleIcon, text: "state.APPLIED" },
  FAILED: { color: "red", icon: ExclamationCircleIcon, text: "state.FAILED" },
  ROLLBACKING: { color: "orange", icon: InProgressIcon, text: "state.ROLLBACKING" },
  ROLLED_BACK: { color: "purple", icon: UndoIcon, text: "state.ROLLED_BACK" },
  CANCELLED: { color: "grey", icon: BanIcon, text: "state.CANCELLED" },
} as const satisfies Record<ApplyState, Look>;

const SERVER_IS_LOOK = {
  as_before: { color: "grey", icon: CheckCircleIcon, text: "serverIs.as_before" },
  as_requested: { color: "green", icon: CheckCircleIcon, text: "serverIs.as_requested" },
  mixed: { color: "red", icon: ExclamationTriangleIcon, text: "serverIs.mixed" },
  unknown: { color: "orange", icon: QuestionCircleIcon, text: "serverIs.unknown" },
} as const satisfies Record<ServerIs, Look>;

export const SERVER_IS = Object.keys(SERVER_IS_LOOK) as readonly ServerIs[];

export const PHASE_TEXT = {
  dispatched: "phase.dispatched",
  prepared: "phase.prepared",
  armed: "phase.armed",
  changing: "phase.changing",
  on_trial: "phase.on_trial",
  confirming: "phase.confirming",
  finalizing: "phase.finalizing",
  reverting: "phase.reverting",
  in_doubt: "phase.in_doubt",
} as const satisfies Record<Phase, MessageKey>;

export const EFFECT_TEXT = {
  none: "effect.none",
  restore_failed: "effect.restore_failed",
  unknown: "effect.unknown",
} as const satisfies Record<Effect, MessageKey>;

function Badge({ look, children }: { readonly look: Look; readonly children?: ReactNode }): ReactNode {
  const t = useT();
  const Icon = look.icon;
  return (
    <Label isCompact color={look.color} icon={<Icon />} title={t(look.text)}>
      {children ?? t(look.text)}
    </Label>
  );
}

/** The state to the letter in every language, as in logs and API, explained on hover. In doubt is as loud as a failure. */
export function StateBadge({
  state,
  phase = null,
}: {
  readonly state: ApplyState;
  readonly phase?: Phase | null;
}): ReactNode {
  const t = useT();
  return (
    <span className="hf-badges">
      <Badge look={STATE_LOOK[state]}>{state}</Badge>
      {phase === null ? null : phase === "in_doubt" ? (
        <Badge look={{ color: "orange", icon: QuestionCircleIcon, text: "phase.in_doubt" }} />
      ) : (
        <span className="hf-quiet">{t(PHASE_TEXT[phase])}</span>
      )}
    </span>
  );
}

/** The second fact: what the server is, whatever the outcome was. */
export function ServerIsBadge({ serverIs }: { readonly serverIs: ServerIs }): ReactNode {
  return <Badge look={SERVER_IS_LOOK[serverIs]} />;
}
