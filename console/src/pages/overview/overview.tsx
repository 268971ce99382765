import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ServerSummary } from "@holdfast/core/api/server.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { lostIn } from "@holdfast/core/floor/standing.ts";
import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { usePrefetchQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ApplyLines } from "../../parts/apply-lines.tsx";
import { SERVER_STATUS_LOOK, ServerStatusLabel } from "../../parts/server-status-label.tsx";
import { NEEDS_A_PERSON, SERVER_STATUSES, serverStatus } from "../../parts/server-status.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { useNowMs } from "../../ui/now.ts";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { EnrolDialog } from "../servers/enrol-dialog.tsx";
import { AlertsCard } from "./alerts-card.tsx";
import { FailureChart } from "./failure-chart.tsx";
import { failuresOfTheLastDay } from "./failures-of-the-last-day.ts";
import { FirstSteps } from "./first-steps.tsx";
import { NowLines } from "./now-lines.tsx";
import { ObjectivesCard } from "./objectives-card.tsx";
import { RecentActs } from "./recent-acts.tsx";

/** How many lines a card shows before it links to the whole list. */
const LINES = 6;

/** Is the fleet all right? What needs a person comes first. */
export function OverviewPage(): ReactNode {
  const t = useT();
  const servers = useQuery(queries.servers());
  // What the cards show, asked for beside the servers and not after them.
  usePrefetchQuery(queries.applies());
  usePrefetchQuery(queries.alerts());
  usePrefetchQuery(queries.objectives());
  // Here, and not in the empty state: the first server ends that state while the dialog is open.
  const [enrolling, setEnrolling] = useState(false);
  return (
    <>
      <PageHead title={t("nav.overview")} sub={t("overview.sub")} />
      <PageBody>
        <Loaded query={servers} what={t("what.servers")}>
          {(list) => (list.length === 0 ? <FirstSteps onEnrol={() => setEnrolling(true)} /> : <Fleet servers={list} />)}
        </Loaded>
      </PageBody>
      {enrolling ? <EnrolDialog onClose={() => setEnrolling(false)} /> : null}
    </>
  );
}

function Fleet({ servers }: { readonly servers: readonly ServerSummary[] }): ReactNode {
  const t = useT();
  const applies = useQuery(queries.applies());
  const open = servers.flatMap((server) => (server.open !== null && isOpen(server.open.state) ? [server.open] : []));
  return (
    <div className="hf-grid">
      <StatusTiles servers={servers} />
      <div className="hf-column">
        <Card isCompact>
          <CardTitle component="h2">{t("overview.now")}</CardTitle>
          <CardBody>
            {open.length === 0 ? <p className="hf-quiet">{t("overview.now.none")}</p> : <NowLines applies={open} />}
          </CardBody>
        </Card>
        <Card isCompact>
          <CardTitle component="h2">{t("overview.failures")}</CardTitle>
          <CardBody>
            <Loaded query={applies} what={t("what.applies")}>
              {({ items }) => <Failures applies={items} />}
            </Loaded>
          </CardBody>
        </Card>
      </div>
      <div className="hf-column">
        <AlertsCard />
        <Attention servers={servers} />
        <ObjectivesCard />
      </div>
      <div className="hf-under">
        <RecentActs />
      </div>
    </div>
  );
}

function StatusTiles({ servers }: { readonly servers: readonly ServerSummary[] }): ReactNode {
  const t = useT();
  const counts = new Map(SERVER_STATUSES.map((status) => [status, 0]));
  for (const server of servers) {
    const status = serverStatus(server);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return (
    <ul className="hf-tiles" aria-label={t("overview.byState")}>
      <li>
        <AppLink to={paths.servers()} className="hf-tile">
          <span className="hf-tile-number">{servers.length}</span>
          <span>{t("overview.all")}</span>
        </AppLink>
      </li>
      {[...counts]
        .filter(([status, count]) => count > 0 || status === "ok")
        .map(([status, count]) => {
          const { icon: Icon, text, why, color } = SERVER_STATUS_LOOK[status];
          return (
            <li key={status}>
              <AppLink to={paths.servers({ show: status })} className="hf-tile" data-color={color} title={t(why)}>
                <span className="hf-tile-number">
                  <Icon /> {count}
                </span>
                <span>{t(text)}</span>
              </AppLink>
            </li>
          );
        })}
    </ul>
  );
}

function Attention({ servers }: { readonly servers: readonly ServerSummary[] }): ReactNode {
  const t = useT();
  const found = servers
    .map((server) => ({ server, status: serverStatus(server) }))
    .filter(({ status }) => NEEDS_A_PERSON.includes(status))
    .toSorted((a, b) => NEEDS_A_PERSON.indexOf(a.status) - NEEDS_A_PERSON.indexOf(b.status));
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("overview.attention")}</CardTitle>
      <CardBody>
        {found.length === 0 ? (
          <p className="hf-quiet">{t("overview.attention.none")}</p>
        ) : (
          <ul className="hf-lines">
            {found.slice(0, LINES).map(({ server, status }) => (
              <li key={server.id}>
                <AppLink to={paths.server(server.name)}>{server.name}</AppLink>
                <ServerStatusLabel status={status} />
                <span className="hf-quiet">
                  {reasonFor(server, {
                    drift: t("status.drift.in", { domains: server.drift.join(", ") }),
                    floor: t("status.floor_lost.in", { domains: lostIn(server.floor).join(", ") }),
                  })}
                </span>
              </li>
            ))}
          </ul>
        )}
        {found.length > LINES ? (
          <AppLink to={paths.servers()}>{t("overview.more", { count: found.length - LINES })}</AppLink>
        ) : null}
      </CardBody>
    </Card>
  );
}

function reasonFor(
  server: ServerSummary,
  { drift, floor }: { readonly drift: string; readonly floor: string },
): string {
  if (server.locked !== null) return server.locked.reason;
  if (lostIn(server.floor).length > 0) return floor;
  if (server.open !== null) return server.open.waitingFor ?? server.open.changeTitle;
  return server.drift.length > 0 ? drift : "";
}

function Failures({ applies }: { readonly applies: readonly ApplySummary[] }): ReactNode {
  const t = useT();
  const now = useNowMs(60_000);
  const failures = failuresOfTheLastDay(applies, now);
  return (
    <>
      <FailureChart applies={applies} nowMs={now} />
      {failures.length === 0 ? (
        <p className="hf-quiet">{t("overview.failures.none")}</p>
      ) : (
        <ApplyLines applies={failures.slice(0, LINES)} />
      )}
      {failures.length > LINES ? (
        <AppLink to={paths.failures()}>{t("overview.more", { count: failures.length - LINES })}</AppLink>
      ) : null}
    </>
  );
}
