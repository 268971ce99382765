import { Label, type LabelProps } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import DisconnectedIcon from "@patternfly/react-icons/dist/esm/icons/disconnected-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import KeyIcon from "@patternfly/react-icons/dist/esm/icons/key-icon";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import OutlinedClockIcon from "@patternfly/react-icons/dist/esm/icons/outlined-clock-icon";
import PauseCircleIcon from "@patternfly/react-icons/dist/esm/icons/pause-circle-icon";
import QuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/question-circle-icon";
import UnlinkIcon from "@patternfly/react-icons/dist/esm/icons/unlink-icon";
import type { ComponentType, ReactNode } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";
import type { ServerStatus } from "./server-status.ts";

interface Look {
  readonly color: NonNullable<LabelProps["color"]>;
  readonly icon: ComponentType;
  readonly text: MessageKey;
  readonly why: MessageKey;
}

export const SERVER_STATUS_LOOK = {
  in_doubt: { color: "orange", icon: QuestionCircleIcon, text: "status.in_doubt", why: "status.in_doubt.why" },
  locked: { color: "red", icon: LockIcon, text: "status.locked", why: "status.locked.why" },
  floor_lost: {
    color: "red",
    icon: ExclamationTriangleIcon,
    text: "status.floor_lost",
    why: "status.floor_lost.why",
  },
  key_waits: { color: "orange", icon: KeyIcon, text: "status.key_waits", why: "status.key_waits.why" },
  applying: { color: "blue", icon: InProgressIcon, text: "status.applying", why: "status.applying.why" },
  drift: { color: "yellow", icon: ExclamationTriangleIcon, text: "status.drift", why: "status.drift.why" },
  offline: { color: "red", icon: DisconnectedIcon, text: "status.offline", why: "status.offline.why" },
  paused: { color: "grey", icon: PauseCircleIcon, text: "status.paused", why: "status.paused.why" },
  expected: { color: "grey", icon: OutlinedClockIcon, text: "status.expected", why: "status.expected.why" },
  ok: { color: "green", icon: CheckCircleIcon, text: "status.ok", why: "status.ok.why" },
  released: { color: "grey", icon: UnlinkIcon, text: "status.released", why: "status.released.why" },
} as const satisfies Record<ServerStatus, Look>;

export function ServerStatusLabel({ status }: { readonly status: ServerStatus }): ReactNode {
  const t = useT();
  const { color, icon: Icon, text, why } = SERVER_STATUS_LOOK[status];
  return (
    <Label isCompact color={color} icon={<Icon />} title={t(why)}>
      {t(text)}
    </Label>
  );
}
