import type { ServerDetail } from "@holdfast/core/api/server.ts";
import {
  Alert,
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useLanguage, useT } from "../../i18n/language.ts";
import { ApplyLines } from "../../parts/apply-lines.tsx";
import { KeyApproval } from "../../parts/key-approval.tsx";
import { OpenApply } from "../../parts/open-apply.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { exactTime, TimeText } from "../../ui/time-text.tsx";
import { DriftAlert } from "./drift-alert.tsx";
import { FloorAlert } from "./floor-alert.tsx";

/** What state is it in now, what is in force, when was the last success, why did the last one fail. */
export function StateTab({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const language = useLanguage();
  return (
    <div className="hf-stack">
      {server.pendingKey === null ? null : (
        <KeyApproval server={server.name} fingerprint={server.pendingKey.fingerprint} since={server.pendingKey.since} />
      )}
      {server.locked === null ? null : (
        <Alert component="p" isInline variant="danger" title={t("server.locked")}>
          <p>{server.locked.reason}</p>
          <p>
            <code>{server.locked.code}</code> {t("server.locked.next")}
          </p>
        </Alert>
      )}
      {server.paused === null ? null : (
        <Alert
          component="p"
          isInline
          variant="info"
          title={t("server.paused", { time: exactTime(server.paused.until, language) })}
        >
          <p>{server.paused.reason}</p>
        </Alert>
      )}
      {server.floor.length === 0 ? null : <FloorAlert server={server} />}
      {server.drift.length === 0 ? null : <DriftAlert server={server} />}
      {server.connected || server.enrolment !== "enrolled" ? null : (
        <Alert component="p" isInline variant="warning" title={t("server.offline")}>
          <p>{t("server.offline.next")}</p>
        </Alert>
      )}
      {server.open === null ? null : <OpenApply apply={server.open} />}
      <div className="hf-grid">
        <div className="hf-column">
          <Card isCompact>
            <CardTitle component="h2">{t("server.inForce")}</CardTitle>
            <CardBody>
              {server.policies.length === 0 ? <p className="hf-quiet">{t("server.inForce.none")}</p> : null}
              <ul className="hf-lines">
                {server.policies.map(({ kind, name, revision }) => (
                  <li key={`${kind}/${name}`}>
                    <AppLink to={paths.document(kind, name)}>
                      {kind}/{name}
                    </AppLink>
                    <span className="hf-quiet">{t("revision", { revision })}</span>
                  </li>
                ))}
              </ul>
              {server.quarantined.length === 0 ? null : (
                <>
                  <h3 className="hf-small-title">{t("server.quarantined")}</h3>
                  <ul className="hf-lines">
                    {server.quarantined.map((item) => (
                      <li key={`${item.kind}/${item.name}/${item.revision}`}>
                        <AppLink to={paths.document(item.kind, item.name)}>
                          {item.kind}/{item.name}
                        </AppLink>
                        <span>{t("revision", { revision: item.revision })}</span>
                        <code>{item.code}</code>
                        <TimeText at={item.at} />
                      </li>
                    ))}
                  </ul>
                  <p className="hf-quiet">{t("server.quarantined.why")}</p>
                </>
              )}
            </CardBody>
          </Card>
          <Card isCompact>
            <CardTitle component="h2">{t("server.lastSuccess")}</CardTitle>
            <CardBody>
              {server.lastSuccess === null ? (
                <p className="hf-quiet">{t("server.lastSuccess.none")}</p>
              ) : (
                <ApplyLines applies={[server.lastSuccess]} withServer={false} />
              )}
            </CardBody>
          </Card>
          <Card isCompact>
            <CardTitle component="h2">{t("server.lastFailure")}</CardTitle>
            <CardBody>
              {server.lastFailure === null ? (
                <p className="hf-quiet">{t("server.lastFailure.none")}</p>
              ) : (
                <ApplyLines applies={[server.lastFailure]} withServer={false} />
              )}
            </CardBody>
          </Card>
        </div>
        <div className="hf-column">
          <Card isCompact>
            <CardTitle component="h2">{t("server.facts")}</CardTitle>
            <CardBody>
              <DescriptionList isCompact isHorizontal>
                <Fact term={t("server.lastSeen")}>
                  {server.lastSeenAt === null ? t("never") : <TimeText at={server.lastSeenAt} />}
                </Fact>
                <Fact term={t("server.generation")}>{server.generation}</Fact>
                <Fact term={t("server.agentVersion")}>{server.agentVersion ?? "—"}</Fact>
                <Fact term={t("server.enrolment")}>{t(`enrolment.${server.enrolment}`)}</Fact>
              </DescriptionList>
            </CardBody>
          </Card>
        </div>
      </div>
    </div>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }): ReactNode {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{term}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}
