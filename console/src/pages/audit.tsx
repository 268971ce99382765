import type { AuditStanding } from "@holdfast/core/audit/standing.ts";
import { Alert, Button, List, ListItem, SearchInput } from "@patternfly/react-core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Answer } from "../api/client.ts";
import { call } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import { useDenied } from "../api/session.ts";
import { useSearchState } from "../app/search-state.ts";
import { type MessageKey, useT } from "../i18n/language.ts";
import { ActDialog } from "../parts/act-dialog.tsx";
import { NativeText } from "../parts/native-diff.tsx";
import { ProblemAlert } from "../parts/problem-alert.tsx";
import { CopyText } from "../ui/copy-text.tsx";
import { Loaded, Waiting } from "../ui/loaded.tsx";
import { PageBody, PageHead } from "../ui/page-head.tsx";
import { ReasonButton } from "../ui/reason-button.tsx";
import { TableHead } from "../ui/table-head.tsx";
import { TimeText } from "../ui/time-text.tsx";

type Entry = Answer<"listAudit">["items"][number];
const PAGE = "100";

export function AuditPage(): ReactNode {
  const t = useT();
  const denied = useDenied()("audit");
  return (
    <>
      <PageHead title={t("nav.audit")} sub={t("audit.sub")} />
      <PageBody>
        {denied === null ? <Audit /> : <Alert component="p" isInline variant="info" title={denied} />}
      </PageBody>
    </>
  );
}

function Audit(): ReactNode {
  const t = useT();
  const [filter, setFilter] = useSearchState("q");
  const pages = useInfiniteQuery({
    queryKey: ["listAudit", "pages"],
    queryFn: ({ pageParam, signal }) => call("listAudit", { query: { cursor: pageParam, limit: PAGE }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    meta: { live: true },
  });
  if (pages.data === undefined)
    return pages.error === null ? (
      <Waiting text={t("load.waiting", { what: t("what.audit") })} />
    ) : (
      <ProblemAlert
        error={pages.error}
        title={t("load.failed", { what: t("what.audit") })}
        onRetry={() => void pages.refetch()}
        reading
      />
    );
  const entries = pages.data.pages.flatMap(({ items }) => items);
  const words = filter.toLowerCase().split(/\s+/);
  const found = entries.filter((entry) => {
    const text =
      `${entry.actor} ${entry.action} ${entry.object} ${entry.server ?? ""} ${entry.requestId ?? ""} ${entry.resultCode} ${entry.source}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return (
    <div className="hf-stack">
      <Verification />
      <SearchInput
        className="hf-search"
        aria-label={t("audit.filter")}
        placeholder={t("audit.filter")}
        value={filter}
        onChange={(_event, value) => setFilter(value)}
        onClear={() => setFilter("")}
      />
      <table className="hf-table">
        <caption className="hf-sr">{t("nav.audit")}</caption>
        <TableHead columns={["audit.when", "audit.who", "audit.what", "audit.result", "audit.details"]} />
        <tbody>
          {found.map((entry) => (
            <Row key={entry.id} entry={entry} />
          ))}
        </tbody>
      </table>
      {found.length === 0 ? <p className="hf-quiet">{t("audit.none")}</p> : null}
      {pages.hasNextPage ? (
        <p>
          <Button variant="secondary" isLoading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {t("audit.older")}
          </Button>{" "}
          <span className="hf-quiet">{t("audit.searched", { count: entries.length })}</span>
        </p>
      ) : null}
    </div>
  );
}

function Row({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const good = entry.resultCode === "ok";
  return (
    <>
      <tr>
        <td data-label={t("audit.when")}>
          <TimeText at={entry.at} />
        </td>
        <td data-label={t("audit.who")}>
          <strong>{entry.actor}</strong> <span className="hf-quiet">{entry.source}</span>
        </td>
        <td data-label={t("audit.what")}>
          {entry.action} <code>{entry.object}</code>{" "}
          {entry.server === null ? null : <span className="hf-quiet">{entry.server}</span>}
        </td>
        <td data-label={t("audit.result")}>
          {good ? "✓" : "✗"} <code>{entry.resultCode}</code>
        </td>
        <td data-label={t("audit.details")}>
          <button type="button" className="hf-link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("audit.hide") : t("audit.show")}
          </button>
        </td>
      </tr>
      {open ? (
        <tr>
          <td colSpan={5}>
            <div>
              #{entry.id} · <code>{entry.hash.slice(0, 24)}</code>{" "}
              {entry.requestId === null ? null : <CopyText text={entry.requestId} />}
            </div>
            <NativeText text={JSON.stringify({ old: entry.old, new: entry.new }, null, 2)} label={t("audit.details")} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** Whether the chain holds, walked now. */
function Verification(): ReactNode {
  const t = useT();
  const verified = useQuery(queries.verifyAudit());
  return (
    <Loaded query={verified} what={t("what.verify")}>
      {({ intact, entries, firstBroken, head, onServers, nextEpoch }) => (
        <Alert
          component="p"
          isInline
          variant={intact ? "success" : "danger"}
          title={intact ? t("audit.intact", { count: entries }) : t("audit.broken", { id: firstBroken ?? "?" })}
        >
          <div>
            {intact ? t("audit.head") : t("audit.broken.next")} <CopyText text={head} shown={head.slice(0, 24)} />
          </div>
          <OnServers held={onServers} />
          {nextEpoch === null ? null : <Acceptance epoch={nextEpoch} />}
          <Button
            size="sm"
            variant="link"
            isInline
            isLoading={verified.isFetching}
            onClick={() => void verified.refetch()}
          >
            {t("audit.again")}
          </Button>
        </Alert>
      )}
    </Loaded>
  );
}

/** After a backup was put back on purpose, and only then: a person stands for the log as it is, by name and with a reason. */
function Acceptance({ epoch }: { readonly epoch: number }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const denied = useDenied()("admin");
  const [asked, setAsked] = useState(false);
  const accept = useMutation({
    mutationFn: (reason: string) => call("beginAuditEpoch", { body: { epoch, reason } }),
    onSuccess: () => setAsked(false),
    // Whatever came of it, also of a lost answer: ask for the truth.
    onSettled: () => client.invalidateQueries(),
  });
  return (
    <>
      <p>
        {t("audit.epoch")} <CopyText text={`holdfast audit accept ${epoch} 'REASON'`} />
      </p>
      <p>
        <ReasonButton size="sm" variant="secondary" isDanger reason={denied} onClick={() => setAsked(true)}>
          {t("audit.accept")}
        </ReasonButton>
      </p>
      {asked ? (
        <ActDialog
          title={t("audit.accept")}
          text={t("audit.accept.ask", { epoch })}
          confirmText={t("audit.accept")}
          wantsReason
          typed={t("audit.accept.word", { epoch })}
          danger
          isPending={accept.isPending}
          error={accept.error}
          onConfirm={(reason) => accept.mutate(reason)}
          onClose={() => {
            setAsked(false);
            accept.reset();
          }}
        />
      ) : null}
    </>
  );
}

type Held = Answer<"verifyAudit">["onServers"];

const STANDING = {
  ahead: "audit.held.ahead",
  forked: "audit.held.forked",
  unproven: "audit.held.unproven",
  refuses: "audit.held.refuses",
  unsupported: "audit.held.unsupported",
  none: "audit.held.none",
  holds: "audit.held.holds",
} as const satisfies Record<AuditStanding, MessageKey>;
const WORST_FIRST = Object.keys(STANDING) as AuditStanding[];

/** What servers keep of the log, where whoever owns its database does not reach. */
function OnServers({ held: { counts, unasked, notable } }: { readonly held: Held }): ReactNode {
  const t = useT();
  const found = WORST_FIRST.filter((standing) => counts[standing] > 0);
  if (found.length === 0) return null;
  return (
    <List>
      {found.map((standing) => (
        <ListItem key={standing}>
          {t(STANDING[standing], { count: counts[standing] })}
          <Named servers={notable.filter((one) => one.standing === standing)} />
        </ListItem>
      ))}
      {unasked === 0 ? null : <ListItem>{t("audit.held.unasked", { count: unasked })}</ListItem>}
    </List>
  );
}

function Named({ servers }: { readonly servers: Held["notable"] }): ReactNode {
  const t = useT();
  if (servers.length === 0) return null;
  return (
    <List>
      {servers.map(({ server, entries, at }, index) => (
        <ListItem key={server ?? index}>
          {server ?? t("audit.held.hidden")}
          {entries === null ? null : (
            <span className="hf-quiet">
              {" "}
              {t("audit.held.of", { entries })} {at === null ? null : <TimeText at={at} />}
            </span>
          )}
        </ListItem>
      ))}
    </List>
  );
}
