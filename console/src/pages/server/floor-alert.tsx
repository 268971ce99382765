import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { Alert } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { TimeText } from "../../ui/time-text.tsx";

type Floor = ServerDetail["floor"][number];

/** What lets management in was lost outside of a change: what, what the server did about it, and what is left to do. */
export function FloorAlert({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const lost = server.floor.filter((one) => one.lost.length > 0);
  const domains = (lost.length > 0 ? lost : server.floor).map(({ domain }) => domain).join(", ");
  return (
    <Alert
      component="p"
      isInline
      variant={lost.length > 0 ? "danger" : "warning"}
      title={t(lost.length > 0 ? "server.floor.lost" : "server.floor.back", { domains })}
    >
      <p>{t("server.floor.what")}</p>
      <ul>
        {server.floor.map((one) => (
          <FloorLines key={one.domain} floor={one} />
        ))}
      </ul>
    </Alert>
  );
}

function FloorLines({ floor }: { readonly floor: Floor }): ReactNode {
  const t = useT();
  const last = floor.repairs.at(-1);
  return (
    <>
      {floor.lost.map(({ path, expected, found }) => (
        <li key={`${path} ${expected}`}>
          <strong>{floor.domain}</strong> {t("server.floor.item", { path, expected, found })}
        </li>
      ))}
      {last === undefined ? null : (
        <li>
          <strong>{floor.domain}</strong> {t("server.floor.repairs", { count: floor.repairs.length })}{" "}
          <TimeText at={last.at} />
          {last.failure === "" ? "" : ` ${t("server.floor.failed", { failure: last.failure })}`}
        </li>
      )}
      {floor.lost.length === 0 ? null : <li>{t(answerOf(floor))}</li>}
    </>
  );
}

function answerOf({ gaveUp, whenLost }: Floor): MessageKey {
  if (gaveUp) return "server.floor.gaveUp";
  return whenLost === "alarm" ? "server.floor.alarm" : "server.floor.repair";
}
