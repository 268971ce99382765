import type { AlertKind, AlertSeverity } from "@holdfast/core/alert/kind.ts";
import type { Alert } from "@holdfast/core/api/alert.ts";
import { Card, CardBody, CardTitle, Label } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TimeText } from "../../ui/time-text.tsx";

const LINES = 8;

const TITLES = {
  "apply-stuck": "alert.applyStuck",
  "concurrent-applies": "alert.concurrentApplies",
  "failure-rate": "alert.failureRate",
  "rollback-failed": "alert.rollbackFailed",
  "in-doubt": "alert.inDoubt",
  "floor-lost": "alert.floorLost",
  drift: "alert.drift",
  "agent-lost": "alert.agentLost",
  "certificate-expiring": "alert.certificateExpiring",
  "glass-broken": "alert.glassBroken",
  "passkey-copied": "alert.passkeyCopied",
  "key-due": "alert.keyDue",
  "audit-broken": "alert.auditBroken",
  "audit-heads": "alert.auditHeads",
  "audit-epoch": "alert.auditEpoch",
  "disk-low": "alert.diskLow",
  "database-trouble": "alert.databaseTrouble",
} as const satisfies Record<AlertKind, MessageKey>;

const LOOKS = {
  critical: { color: "red", text: "alert.critical", rank: 0 },
  warning: { color: "orange", text: "alert.warning", rank: 1 },
} as const satisfies Record<AlertSeverity, { color: "red" | "orange"; text: MessageKey; rank: number }>;

/** What the house calls somebody for now: what nobody is at comes first. */
export function AlertsCard(): ReactNode {
  const t = useT();
  const alerts = useQuery(queries.alerts());
  const [asked, setAsked] = useState<Alert | null>(null);
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("alert.card")}</CardTitle>
      <CardBody>
        <Loaded query={alerts} what={t("what.alerts")}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="hf-quiet">{t("alert.none")}</p>
            ) : (
              <>
                <ul className="hf-lines">
                  {items
                    .toSorted((a, b) => placeOf(a) - placeOf(b))
                    .slice(0, LINES)
                    .map((alert) => (
                      <Line key={alert.id} alert={alert} onAcknowledge={() => setAsked(alert)} />
                    ))}
                </ul>
                {items.length > LINES ? (
                  <p className="hf-quiet">{t("alert.more", { count: items.length - LINES })}</p>
                ) : null}
              </>
            )
          }
        </Loaded>
      </CardBody>
      {asked === null ? null : <Acknowledge alert={asked} onClose={() => setAsked(null)} />}
    </Card>
  );
}

function placeOf({ state, severity }: Alert): number {
  return (state === "open" ? 0 : 2) + LOOKS[severity].rank;
}

function Line({ alert, onAcknowledge }: { readonly alert: Alert; readonly onAcknowledge: () => void }): ReactNode {
  const t = useT();
  const denied = useDenied();
  const look = LOOKS[alert.severity];
  return (
    <li>
      <div className="hf-line-row">
        <Label isCompact color={alert.state === "open" ? look.color : "grey"}>
          {t(look.text)}
        </Label>
        <strong>{t(TITLES[alert.kind])}</strong>
        {alert.server === null ? null : <AppLink to={paths.server(alert.server)}>{alert.server}</AppLink>}
        {alert.applyId === null ? null : <AppLink to={paths.apply(alert.applyId)}>{t("alert.apply")}</AppLink>}
        <span className="hf-quiet">
          <TimeText at={alert.openedAt} />
        </span>
        <ReasonButton
          size="sm"
          variant="link"
          isInline
          reason={denied("apply") ?? alert.acknowledge}
          onClick={onAcknowledge}
        >
          {t("alert.acknowledge")}
        </ReasonButton>
      </div>
      <div className="hf-why">
        {alert.message} <code>{alert.runbook}</code>
      </div>
      {alert.acknowledgedBy === null ? null : (
        <div className="hf-quiet">
          {t("alert.atIt", { name: alert.acknowledgedBy })} {alert.acknowledgement ?? ""}
        </div>
      )}
    </li>
  );
}

function Acknowledge({ alert, onClose }: { readonly alert: Alert; readonly onClose: () => void }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: (reason: string) => call("acknowledgeAlert", { params: { id: alert.id }, body: { reason } }),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries(),
  });
  return (
    <ActDialog
      title={t("alert.acknowledge")}
      text={`${alert.message} ${t("alert.acknowledgeText")}`}
      confirmText={t("alert.acknowledge")}
      wantsReason
      isPending={act.isPending}
      error={act.error}
      onConfirm={(reason) => act.mutate(reason)}
      onClose={onClose}
    />
  );
}
