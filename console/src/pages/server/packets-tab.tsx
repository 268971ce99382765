import type { Packet } from "@holdfast/core/api/packet-log.ts";
import { fitsPacket, packetLabel } from "@holdfast/core/net/packet-words.ts";
import {
  Alert,
  Button,
  Label,
  type LabelProps,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from "@patternfly/react-core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useDenied } from "../../api/session.ts";
import { usePackets } from "../../api/use-packets.ts";
import { useSearchState } from "../../app/search-state.ts";
import { allowPacket, type NotAllowed, whereToAllow } from "../../editor/allow-packet.ts";
import { writePending } from "../../editor/write-pending.ts";
import { type MessageKey, useLanguage, useT } from "../../i18n/language.ts";
import type { ShownPacket } from "../../live/packet-log.ts";
import { DocumentLink } from "../../parts/document-link.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { clockTime, exactTime } from "../../ui/time-text.tsx";

/** Rows on the page; a person who wants others filters. More would make typing slow while packets come. */
const ROWS = 200;

/** What the firewall of a server decides, while somebody looks, and one press from a packet to a rule in the pending change. */
export function PacketsTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const denied = useDenied()("watch");
  const [filter, setFilter] = useSearchState("q");
  const { log, isLooking, error, look, stop } = usePackets(name);
  const fitting = log.packets.filter((packet) =>
    fitsPacket(packet, filter, [t(OUTCOME[packet.outcome].text), t(`hook.${packet.direction}`)]),
  );
  const hasLooked = isLooking || log.packets.length > 0;
  return (
    <div className="hf-stack">
      <p>{t("packets.what")}</p>
      <Toolbar className="hf-toolbar">
        <ToolbarContent>
          <ToolbarItem>
            {isLooking ? (
              <Button variant="secondary" onClick={stop}>
                {t("packets.stop")}
              </Button>
            ) : (
              <ReasonButton variant="primary" reason={denied} onClick={look}>
                {t("packets.look")}
              </ReasonButton>
            )}
          </ToolbarItem>
          <ToolbarItem>
            <SearchInput
              aria-label={t("packets.filter")}
              placeholder={t("packets.filter.example")}
              value={filter}
              onChange={(_event, value) => setFilter(value)}
              onClear={() => setFilter("")}
            />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <ProblemAlert error={error} title={t("packets.failed")} onRetry={look} reading />
      {log.ended === null ? null : (
        <Alert component="p" isInline variant="info" title={t("packets.ended")}>
          <p>{log.ended.message}</p>
          <code>{log.ended.code}</code>
        </Alert>
      )}
      {log.lost === null || !isLooking ? null : (
        <Alert component="p" isInline variant="warning" title={t("packets.lost")}>
          <p>{log.lost}</p>
        </Alert>
      )}
      {hasLooked ? (
        <p className="hf-quiet" role="status">
          {isLooking ? t("packets.looking", { shown: fitting.length, all: log.packets.length }) : t("packets.stopped")}
          {log.isSampled ? ` ${t("packets.sampled")}` : ""}
          {log.missed > 0 ? ` ${t("packets.missed", { count: log.missed })}` : ""}
        </p>
      ) : null}
      {hasLooked ? <PacketTable packets={fitting.slice(0, ROWS)} /> : null}
      {fitting.length > ROWS ? <p className="hf-quiet">{t("packets.more", { count: fitting.length - ROWS })}</p> : null}
    </div>
  );
}

function PacketTable({ packets }: { readonly packets: readonly ShownPacket[] }): ReactNode {
  const t = useT();
  const denied = useDenied()("edit");
  const allow = useMutation({
    mutationFn: async ({ packet, document }: { readonly packet: Packet; readonly document: string }) => {
      const why = t("packets.why", { at: packet.at, source: packet.source });
      await writePending(document, (text) => allowPacket(text, packet, why), {
        deleted: (deleted) => t("observe.deleted", { document: deleted }),
        refused: (refused: NotAllowed) => t(NOT_ALLOWED[refused]),
      });
      return { document, label: packetLabel(packet) };
    },
  });
  return (
    <>
      <ProblemAlert error={allow.error} title={t("act.failed")} />
      {allow.data === undefined ? null : <Written {...allow.data} />}
      <table className="hf-table">
        <caption className="hf-sr">{t("packets.table")}</caption>
        <TableHead
          columns={[
            "packets.at",
            "packets.outcome",
            "packets.ends",
            "packets.service",
            "packets.rule",
            { hidden: "packets.allow" },
          ]}
        />
        <tbody>
          {packets.map((packet) => (
            <PacketRow
              key={packet.key}
              packet={packet}
              denied={denied}
              isBusy={allow.isPending}
              onAllow={(document) => allow.mutate({ packet, document })}
            />
          ))}
        </tbody>
      </table>
      {packets.length === 0 ? <p className="hf-quiet">{t("packets.none")}</p> : null}
    </>
  );
}

function Written({ document, label }: { readonly document: string; readonly label: string }): ReactNode {
  const t = useT();
  const [kind = "", name = ""] = document.split("/", 2);
  return (
    <Alert component="p" isInline variant="success" title={t("packets.written", { service: label, document })}>
      <AppLink to={paths.editDocument(kind, name, { view: "difference" })}>{t("packets.seeDifference")}</AppLink>
    </Alert>
  );
}

const OUTCOME = {
  allowed: { text: "packets.allowed", color: "green" },
  dropped: { text: "packets.dropped", color: "red" },
  rejected: { text: "packets.rejected", color: "orange" },
  would_drop: { text: "packets.wouldDrop", color: "yellow" },
} as const satisfies Record<
  Packet["outcome"],
  { readonly text: MessageKey; readonly color: NonNullable<LabelProps["color"]> }
>;

const NOT_ALLOWED = {
  passes: "packets.not.passes",
  foreign: "packets.not.foreign",
  locked: "packets.not.locked",
  limited: "packets.not.limited",
  no_word: "packets.not.noWord",
  nowhere: "packets.not.nowhere",
  unreadable: "packets.not.unreadable",
} as const satisfies Record<NotAllowed, MessageKey>;

interface RowProps {
  readonly packet: ShownPacket;
  readonly denied: string | null;
  readonly isBusy: boolean;
  readonly onAllow: (document: string) => void;
}

function PacketRow({ packet, denied, isBusy, onAllow }: RowProps): ReactNode {
  const t = useT();
  const language = useLanguage();
  const { at, outcome, direction, from, why } = packet;
  const { text, color } = OUTCOME[outcome];
  const where = whereToAllow(packet);
  const ways = [packet.inInterface, packet.outInterface].filter((way) => way !== null).join(" → ");
  return (
    <tr>
      <td data-label={t("packets.at")}>
        <time dateTime={at} title={exactTime(at, language)} className="hf-nowrap">
          {clockTime(at, language)}
        </time>
      </td>
      <td data-label={t("packets.outcome")}>
        <Label isCompact variant="outline" color={color}>
          {t(text)}
        </Label>
        <div className="hf-quiet hf-small">
          {t(`hook.${direction}`)}
          {ways === "" ? "" : `, ${ways}`}
        </div>
      </td>
      <td data-label={t("packets.ends")}>
        <code>{packet.source}</code> → <code>{packet.destination}</code>
      </td>
      <td data-label={t("packets.service")}>
        <code>{packetLabel(packet)}</code>
      </td>
      <td data-label={t("packets.rule")}>
        {ruleWords(packet, t)}
        {from === null ? null : (
          <div className="hf-quiet hf-small">
            <DocumentLink document={from.document} line={from.line} /> r{from.revision}
          </div>
        )}
        {why === null ? null : <div className="hf-quiet hf-small">{why}</div>}
      </td>
      <td>
        {!where.ok && where.error === "passes" ? null : (
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={denied ?? (where.ok ? null : t(NOT_ALLOWED[where.error]))}
            isLoading={isBusy}
            onClick={() => (where.ok ? onAllow(where.value) : undefined)}
          >
            {t("packets.allow")}
          </ReasonButton>
        )}
      </td>
    </tr>
  );
}

function ruleWords({ foreignTable, rule }: Packet, t: ReturnType<typeof useT>): string {
  if (foreignTable !== null) return t("packets.byForeign", { table: foreignTable });
  if (rule === null) return t("packets.unnamed");
  return rule === "default" ? t("observe.kind.default") : rule;
}
