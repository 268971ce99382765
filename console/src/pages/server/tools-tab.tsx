import type { ServerDetail } from "@holdfast/core/api/server.ts";
import type { ToolEnding } from "@holdfast/core/api/tool.ts";
import type { CapturedLine } from "@holdfast/core/tool/captured-words.ts";
import { pcapFile } from "@holdfast/core/tool/pcap.ts";
import type { Tool } from "@holdfast/core/tool/tool.ts";
import { Alert, type AlertProps, Button } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useTool } from "../../api/use-tool.ts";
import { type MessageKey, useLanguage, useT } from "../../i18n/language.ts";
import type { ToolRun } from "../../live/tool-run.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { clockTime, exactTime } from "../../ui/time-text.tsx";
import { ToolFields } from "./tool-form.tsx";

/** Rows on the page; the file has all of them. */
const ROWS = 200;

/** What a person has a server look for: ping, trace, resolve, and headers of packets that pass. */
export function ToolsTab({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const { name } = server;
  const denied = useDenied();
  const mayProbe = denied("probe") === null;
  const tools = useQuery({ ...queries.serverTools(name), enabled: mayProbe });
  const { asked, run, isRunning, error, begin, stop } = useTool(name);
  const whyNot = (tool: Tool): string | null => {
    const permission = denied("probe") ?? (tool === "capture" ? denied("watch") : null);
    if (permission !== null) return permission;
    // A server that could not be asked is asked by the press: it may be back.
    if (tools.data === undefined) return tools.error === null ? t("tools.checking") : null;
    const offer = tools.data.tools.find((one) => one.tool === tool);
    return offer === undefined || offer.available ? null : `${offer.reason ?? ""} (${offer.code ?? ""})`;
  };
  return (
    <div className="hf-stack">
      <p>
        {t("tools.what")} {t("tools.what.capture")}
      </p>
      <ProblemAlert error={tools.error} title={t("tools.unasked")} onRetry={() => void tools.refetch()} reading />
      <Missing whyNot={whyNot} isAsked={tools.data !== undefined} />
      <ToolFields server={server} isRunning={isRunning} whyNot={whyNot} onRun={begin} onStop={stop} />
      <ProblemAlert error={error} title={t("tools.failed")} />
      {run.lost === null || !isRunning ? null : (
        <Alert component="p" isInline variant="warning" title={t("tools.lost")}>
          <p>{run.lost}</p>
        </Alert>
      )}
      {asked === null || error !== null ? null : (
        <>
          <Ending run={run} isRunning={isRunning} />
          {asked.tool === "capture" ? <CapturedTable run={run} server={name} /> : <Output text={run.text} />}
        </>
      )}
    </div>
  );
}

const TOOLS_IN_ORDER = ["ping", "trace", "resolve", "capture"] as const satisfies readonly Tool[];

/** What is not there is said before anybody chooses it. */
function Missing({
  whyNot,
  isAsked,
}: {
  readonly whyNot: (tool: Tool) => string | null;
  readonly isAsked: boolean;
}): ReactNode {
  const missing = isAsked ? TOOLS_IN_ORDER.flatMap((tool) => ({ tool, why: whyNot(tool) })) : [];
  const told = missing.filter(({ why }) => why !== null);
  if (told.length === 0) return null;
  return (
    <ul className="hf-quiet hf-small">
      {told.map(({ tool, why }) => (
        <li key={tool}>
          <code>{tool}</code>: {why}
        </li>
      ))}
    </ul>
  );
}

const ENDING = {
  done: { text: "tools.done", variant: "success" },
  no_answer: { text: "tools.outcome.no_answer", variant: "warning" },
  failed: { text: "tools.outcome.failed", variant: "danger" },
  stopped: { text: "tools.outcome.stopped", variant: "info" },
  too_long: { text: "tools.outcome.too_long", variant: "warning" },
  too_much: { text: "tools.outcome.too_much", variant: "warning" },
  lost: { text: "tools.outcome.lost", variant: "warning" },
} as const satisfies Record<
  ToolEnding,
  { readonly text: MessageKey; readonly variant: NonNullable<AlertProps["variant"]> }
>;

function Ending({ run, isRunning }: { readonly run: ToolRun; readonly isRunning: boolean }): ReactNode {
  const t = useT();
  const { ended } = run;
  // A stream that ended without saying how: nobody knows how the run did.
  const { text, variant } = ENDING[ended?.outcome ?? "lost"];
  return (
    <div role="status">
      {isRunning && ended === null ? (
        <p className="hf-quiet">{t("tools.begun")}…</p>
      ) : (
        <Alert component="p" isInline isPlain variant={variant} title={t(text)}>
          {ended === null || ended.message === "" ? null : <pre className="hf-small">{ended.message}</pre>}
        </Alert>
      )}
    </div>
  );
}

function Output({ text }: { readonly text: string }): ReactNode {
  const t = useT();
  return (
    <pre className="hf-diff" aria-label={t("tools.output")} tabIndex={0}>
      {text === "" ? t("tools.nothing") : text}
    </pre>
  );
}

function CapturedTable({ run, server }: { readonly run: ToolRun; readonly server: string }): ReactNode {
  const t = useT();
  const { lines, captured } = run;
  const save = (): void => {
    saveFile(`${server}.pcap`, pcapFile(captured).slice().buffer, "application/vnd.tcpdump.pcap");
  };
  return (
    <>
      <div className="hf-actions">
        <span className="hf-quiet">{t("tools.captured", { count: lines.length })}</span>
        <Button variant="secondary" size="sm" isDisabled={lines.length === 0} onClick={save}>
          {t("tools.save")}
        </Button>
      </div>
      {lines.length === 0 ? (
        <p className="hf-quiet">{t("tools.nothing")}</p>
      ) : (
        <table className="hf-table">
          <caption className="hf-sr">{t("tools.table")}</caption>
          <TableHead columns={["tools.time", "packets.service", "packets.ends", "tools.flags", "tools.bytes"]} />
          <tbody>
            {lines
              .map((line, at) => <CapturedRow key={at} line={line} />)
              .toReversed()
              .slice(0, ROWS)}
          </tbody>
        </table>
      )}
      {lines.length > ROWS ? <p className="hf-quiet">{t("packets.more", { count: lines.length - ROWS })}</p> : null}
    </>
  );
}

function CapturedRow({ line }: { readonly line: CapturedLine }): ReactNode {
  const t = useT();
  const language = useLanguage();
  const { at, what, source, destination, flags, length } = line;
  return (
    <tr>
      <td data-label={t("tools.time")}>
        <time dateTime={at} title={exactTime(at, language)} className="hf-nowrap">
          {clockTime(at, language)}
        </time>
      </td>
      <td data-label={t("packets.service")}>
        <code>{what}</code>
      </td>
      <td data-label={t("packets.ends")}>
        {source === "" ? null : (
          <>
            <code>{source}</code> → <code>{destination}</code>
          </>
        )}
      </td>
      <td data-label={t("tools.flags")}>{flags}</td>
      <td data-label={t("tools.bytes")} className="hf-number">
        {length}
      </td>
    </tr>
  );
}
