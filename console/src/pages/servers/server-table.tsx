import type { ServerSummary } from "@holdfast/core/api/server.ts";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import { useSearchState } from "../../app/search-state.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { CountdownText } from "../../parts/countdown.tsx";
import { ServerStatusLabel } from "../../parts/server-status-label.tsx";
import { SERVER_STATUSES, serverStatus } from "../../parts/server-status.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { TimeText } from "../../ui/time-text.tsx";

const COLUMNS = ["name", "status", "labels", "success", "failure"] as const;
type Column = (typeof COLUMNS)[number];

const TITLES = {
  name: "servers.column.name",
  status: "servers.column.status",
  labels: "servers.column.labels",
  success: "servers.column.success",
  failure: "servers.column.failure",
} as const satisfies Record<Column, MessageKey>;

const ORDER = {
  name: (server) => server.name,
  status: (server) => String(SERVER_STATUSES.indexOf(serverStatus(server))),
  labels: (server) => JSON.stringify(server.labels),
  success: (server) => server.lastSuccess?.finishedAt ?? "",
  failure: (server) => server.lastFailure?.finishedAt ?? "",
} as const satisfies Record<Column, (server: ServerSummary) => string>;

/** Pixels of one row; on a narrow screen it grows and is measured. */
const ROW_HEIGHT = 41;

interface Props {
  readonly servers: readonly ServerSummary[];
  readonly onLabel: (label: string) => void;
}

/** Only the rows in view exist, so that ten thousand are as quick as ten. */
export function ServerTable({ servers, onLabel }: Props): ReactNode {
  const t = useT();
  const [sort, setSort] = useSearchState("sort");
  const descending = sort.startsWith("-");
  const column = COLUMNS.find((name) => name === sort.replace("-", "")) ?? "name";
  const sorted = useMemo(() => {
    const order = ORDER[column];
    const keyed = servers.map((server) => ({ server, key: order(server) }));
    keyed.sort((a, b) =>
      a.key === b.key ? (a.server.name < b.server.name ? -1 : 1) : (a.key < b.key ? -1 : 1) * (descending ? -1 : 1),
    );
    return keyed.map(({ server }) => server);
  }, [servers, column, descending]);

  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => sorted[index]?.id ?? index,
    overscan: 12,
  });

  if (sorted.length === 0) return <p className="hf-quiet">{t("servers.none")}</p>;
  return (
    <div className="hf-table-frame" ref={scroller} tabIndex={0} role="group" aria-label={t("nav.servers")}>
      <div role="table" aria-label={t("nav.servers")} aria-rowcount={sorted.length + 1} className="hf-server-table">
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className="hf-server-row hf-server-head">
            {COLUMNS.map((name) => (
              <div
                key={name}
                role="columnheader"
                aria-sort={name === column ? (descending ? "descending" : "ascending") : "none"}
                className={`hf-col-${name}`}
              >
                <button
                  type="button"
                  className="hf-sort"
                  onClick={() => setSort(name === column && !descending ? `-${name}` : name)}
                >
                  {t(TITLES[name])} <span aria-hidden="true">{name === column ? (descending ? "▾" : "▴") : ""}</span>
                </button>
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="hf-server-body" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const server = sorted[item.index];
            return server === undefined ? null : (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                data-index={item.index}
                ref={rows.measureElement}
                className="hf-server-row"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <ServerCells server={server} onLabel={onLabel} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function ServerCells({
  server,
  onLabel,
}: {
  readonly server: ServerSummary;
  readonly onLabel: (label: string) => void;
}): ReactNode {
  const t = useT();
  const { open, lastSuccess, lastFailure } = server;
  return (
    <>
      <div role="cell" className="hf-col-name">
        <AppLink to={paths.server(server.name)}>{server.name}</AppLink>
      </div>
      <div role="cell" className="hf-col-status">
        {open === null ? (
          <ServerStatusLabel status={serverStatus(server)} />
        ) : (
          <>
            <StateBadge state={open.state} phase={open.phase} />
            {open.deadlineAt === null ? null : <CountdownText deadlineAt={open.deadlineAt} />}
          </>
        )}
      </div>
      <div role="cell" className="hf-col-labels hf-labels">
        {Object.entries(server.labels)
          .map(([key, value]) => `${key}:${value}`)
          .toSorted()
          .map((label) => (
            <button key={label} type="button" className="hf-label-pair" onClick={() => onLabel(label)}>
              {label}
            </button>
          ))}
      </div>
      <div role="cell" className="hf-col-success hf-clip" data-label={t(TITLES.success)}>
        {lastSuccess === null ? (
          <span className="hf-quiet">—</span>
        ) : (
          <>
            <TimeText at={lastSuccess.finishedAt ?? lastSuccess.requestedAt} />{" "}
            <AppLink to={paths.apply(lastSuccess.id)}>{lastSuccess.changeTitle}</AppLink>
          </>
        )}
      </div>
      <div role="cell" className="hf-col-failure hf-clip" data-label={t(TITLES.failure)}>
        {lastFailure === null ? (
          <span className="hf-quiet">—</span>
        ) : (
          <>
            <TimeText at={lastFailure.finishedAt ?? lastFailure.requestedAt} />{" "}
            <AppLink to={paths.apply(lastFailure.id)}>{lastFailure.code ?? lastFailure.state}</AppLink>
          </>
        )}
      </div>
    </>
  );
}
