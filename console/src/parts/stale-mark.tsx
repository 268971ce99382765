import { Label } from "@patternfly/react-core";
import CircleIcon from "@patternfly/react-icons/dist/esm/icons/circle-icon";
import DisconnectedIcon from "@patternfly/react-icons/dist/esm/icons/disconnected-icon";
import SyncAltIcon from "@patternfly/react-icons/dist/esm/icons/sync-alt-icon";
import { type ReactNode, useSyncExternalStore } from "react";
import { connection, onConnection } from "../api/connection.ts";
import { useLanguage, useT } from "../i18n/language.ts";
import { clockTime } from "../ui/time-text.tsx";

/** Whether what is on screen is true now. Always there, so that its absence never has to be noticed. */
export function StaleMark(): ReactNode {
  const t = useT();
  const { stream, reachable } = useSyncExternalStore(onConnection, connection);
  if (!reachable) {
    return (
      <Label color="red" icon={<DisconnectedIcon />} title={t("stale.lost.why")}>
        {t("stale.lost")}
      </Label>
    );
  }
  if (stream === "live") {
    return (
      <Label color="green" variant="outline" icon={<CircleIcon />} title={t("stale.live.why")}>
        {t("stale.live")}
      </Label>
    );
  }
  return (
    <span role="status">
      <Label color="orange" icon={<SyncAltIcon />} title={t("stale.polling.why")}>
        {stream === "connecting" ? t("stale.connecting") : t("stale.polling")}
      </Label>
    </span>
  );
}

/** Nothing answers: said once, above everything, with how old it is. */
export function LostBanner(): ReactNode {
  const t = useT();
  const language = useLanguage();
  const { reachable, lastAnswerMs } = useSyncExternalStore(onConnection, connection);
  return (
    <div role="alert">
      {reachable ? null : (
        <div className="hf-lost">
          <DisconnectedIcon />
          <strong>
            {lastAnswerMs === null
              ? t("stale.lost")
              : t("stale.lost.asOf", { time: clockTime(new Date(lastAnswerMs).toISOString(), language) })}
          </strong>
          <span>{t("stale.lost.why")}</span>
        </div>
      )}
    </div>
  );
}
