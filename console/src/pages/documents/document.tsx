import { FormSelect, FormSelectOption, Label, Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useAddressPart, usePlace } from "../../app/place.ts";
import { useSearchChoice, useSearchState } from "../../app/search-state.ts";
import { sameDocument, updatePending, usePending, withEdit } from "../../editor/pending.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { NativeDiff, NativeText } from "../../parts/native-diff.tsx";
import { DOCUMENT_TABS, type DocumentTab, paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";

/** Brings the schema of tunnels with it, which other documents do not need. */
const TunnelSheets = lazy(async () => ({ default: (await import("./tunnel-sheets.tsx")).TunnelSheets }));

const TAB_TEXT = {
  text: "document.tab.text",
  history: "document.tab.history",
  compare: "document.tab.compare",
} as const satisfies Record<DocumentTab, MessageKey>;

export function DocumentPage(): ReactNode {
  const t = useT();
  const kind = useAddressPart("kind");
  const name = useAddressPart("name");
  const place = usePlace();
  const denied = useDenied();
  const pending = usePending();
  const document = useQuery(queries.document(kind, name));
  const [tab, setTab] = useSearchChoice("tab", DOCUMENT_TABS);
  const [deleting, setDeleting] = useState(false);
  const kept = pending.edits.find((edit) => sameDocument(edit, { kind, name }));
  const head = document.data;

  return (
    <>
      <PageHead
        above={<AppLink to={paths.documents()}>{t("nav.documents")}</AppLink>}
        title={`${kind}/${name}`}
        badges={
          head === undefined ? null : (
            <span className="hf-badges">
              <Label isCompact>{t("revision", { revision: head.revision })}</Label>
              {kept === undefined ? null : (
                <Label isCompact color="purple">
                  {t(kept.text === null ? "documents.pendingDelete" : "documents.pending")}
                </Label>
              )}
              {head.deleted ? <Label isCompact>{t("documents.deleted")}</Label> : null}
              <span className="hf-quiet">
                {head.author} · <TimeText at={head.at} />
              </span>
            </span>
          )
        }
        actions={
          <div className="hf-actions">
            <ReasonButton size="sm" reason={denied("edit")} onClick={() => place.go(paths.editDocument(kind, name))}>
              {t("document.edit")}
            </ReasonButton>
            <ReasonButton
              size="sm"
              variant="secondary"
              isDanger
              reason={
                denied("edit") ??
                (head?.deleted === true ? t("documents.deleted") : null) ??
                (kept?.text === null ? t("documents.pendingDelete") : null)
              }
              onClick={() => setDeleting(true)}
            >
              {t("document.delete")}
            </ReasonButton>
          </div>
        }
      />
      <PageBody>
        <Loaded query={document} what={`${kind}/${name}`}>
          {(data) => (
            <>
              {data.inForceOn.length === 0 ? <p className="hf-quiet">{t("documents.nowhere")}</p> : null}
              <ul className="hf-in-force" aria-label={t("documents.inForce")}>
                {data.inForceOn.map(({ server, revision }) => (
                  <li key={server}>
                    <AppLink to={paths.server(server)}>{server}</AppLink>{" "}
                    <span className={revision === data.revision ? "hf-quiet" : "hf-older"}>
                      {t("revision", { revision })}
                    </span>
                  </li>
                ))}
              </ul>
              <Tabs
                activeKey={tab}
                onSelect={(_event, key) => setTab(String(key) as DocumentTab)}
                aria-label={name}
                mountOnEnter
                unmountOnExit
              >
                {DOCUMENT_TABS.map((key) => (
                  <Tab key={key} eventKey={key} title={<TabTitleText>{t(TAB_TEXT[key])}</TabTitleText>}>
                    <div className="hf-tab">
                      {key === "text" ? (
                        <NativeText text={data.text ?? t("documents.deleted")} label={t(TAB_TEXT.text)} />
                      ) : null}
                      {key === "text" && kind === "Tunnel" && data.text !== null ? (
                        <Suspense fallback={null}>
                          <TunnelSheets
                            name={name}
                            text={data.text}
                            edit={
                              kept ?? { kind, name, text: data.text, baseRevision: data.revision, baseText: data.text }
                            }
                          />
                        </Suspense>
                      ) : null}
                      {key === "history" ? <History kind={kind} name={name} /> : null}
                      {key === "compare" ? <Compare kind={kind} name={name} head={data.revision} /> : null}
                    </div>
                  </Tab>
                ))}
              </Tabs>
            </>
          )}
        </Loaded>
      </PageBody>
      {deleting && head !== undefined ? (
        <ActDialog
          title={t("document.delete")}
          text={[
            t("document.delete.ask", { name: `${kind}/${name}`, count: head.inForceOn.length }),
            ...(kept === undefined ? [] : [t("document.delete.edited")]),
          ].join(" ")}
          confirmText={t("document.delete.confirm")}
          danger
          isPending={false}
          error={null}
          onConfirm={() => {
            updatePending((now) =>
              withEdit(now, { kind, name, text: null, baseRevision: head.revision, baseText: head.text }),
            );
            setDeleting(false);
          }}
          onClose={() => setDeleting(false)}
        />
      ) : null}
    </>
  );
}

function History({ kind, name }: { readonly kind: string; readonly name: string }): ReactNode {
  const t = useT();
  const revisions = useQuery(queries.revisions(kind, name));
  return (
    <Loaded query={revisions} what={t("what.revisions")}>
      {({ items }) => (
        <table className="hf-table">
          <caption className="hf-sr">{t(TAB_TEXT.history)}</caption>
          <TableHead columns={["documents.revision", "document.comment", "documents.changed", "document.change"]} />
          <tbody>
            {items.map((one) => (
              <tr key={one.revision}>
                <td data-label={t("documents.revision")}>
                  {one.revision > 1 ? (
                    <AppLink
                      to={paths.document(kind, name, {
                        tab: "compare",
                        from: String(one.revision - 1),
                        to: String(one.revision),
                      })}
                    >
                      {t("revision", { revision: one.revision })}
                    </AppLink>
                  ) : (
                    t("revision", { revision: one.revision })
                  )}
                </td>
                <td data-label={t("document.comment")}>{one.comment === "" ? "—" : one.comment}</td>
                <td data-label={t("documents.changed")}>
                  {one.author} · <TimeText at={one.at} />
                </td>
                <td data-label={t("document.change")}>
                  <AppLink to={paths.change(one.changeId)}>{t("document.change.open")}</AppLink>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Loaded>
  );
}

function Compare({
  kind,
  name,
  head,
}: {
  readonly kind: string;
  readonly name: string;
  readonly head: number;
}): ReactNode {
  const t = useT();
  const [fromText, setFrom] = useSearchState("from");
  const [toText, setTo] = useSearchState("to");
  const from = fromText === "" ? String(Math.max(1, head - 1)) : fromText;
  const to = toText === "" ? String(head) : toText;
  const diff = useQuery({ ...queries.diff(kind, name, from, to), enabled: from !== to });
  const choices = Array.from({ length: head }, (_, index) => head - index);
  return (
    <div className="hf-stack">
      <div className="hf-line-row">
        <label htmlFor="from">{t("document.compare.from")}</label>
        <FormSelect id="from" className="hf-short-select" value={from} onChange={(_event, value) => setFrom(value)}>
          {choices.map((choice) => (
            <FormSelectOption key={choice} value={String(choice)} label={t("revision", { revision: choice })} />
          ))}
        </FormSelect>
        <label htmlFor="to">{t("document.compare.to")}</label>
        <FormSelect id="to" className="hf-short-select" value={to} onChange={(_event, value) => setTo(value)}>
          {choices.map((choice) => (
            <FormSelectOption key={choice} value={String(choice)} label={t("revision", { revision: choice })} />
          ))}
        </FormSelect>
      </div>
      {from === to ? (
        <p className="hf-quiet">{t("diff.same")}</p>
      ) : (
        <Loaded query={diff} what={t("what.diff")}>
          {(data) => <NativeDiff diff={data.diff} label={t("document.compare.label", { from, to })} />}
        </Loaded>
      )}
    </div>
  );
}
