import { API_VERSION } from "@holdfast/core/policy/document.ts";
import type { Outline } from "@holdfast/core/policy/schema-outline.ts";
import { Alert, Button, Label, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { usePrefetchQuery, useQuery } from "@tanstack/react-query";
import { lazyRouteComponent } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useAddressPart } from "../../app/place.ts";
import { useSearchState } from "../../app/search-state.ts";
import {
  type PendingEdit,
  sameDocument,
  updatePending,
  useIsKept,
  usePending,
  withEdit,
  withoutEdit,
} from "../../editor/pending.ts";
import { useValidation, type Validation } from "../../editor/use-validation.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { FindingCounts, FindingList } from "../../parts/findings.tsx";
import { TextDiff } from "../../parts/text-diff.tsx";
import { EDITOR_VIEWS, type EditorView, paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { RuleTable } from "./rule-table.tsx";
import { SchemaForm } from "./schema-form.tsx";

/** Reads the whole language of tunnels, which most documents do not need. */
const CertifyPerson = lazyRouteComponent(() => import("../documents/certify-person.tsx"), "CertifyPerson");

/** Half of the page's script, for one of its views. */
const CodeEditor = lazyRouteComponent(() => import("../../editor/code-editor.tsx"), "CodeEditor");

const VIEW_TEXT = {
  rules: "editor.view.rules",
  network: "editor.view.network",
  system: "editor.view.system",
  form: "editor.view.form",
  text: "editor.view.text",
  difference: "editor.view.difference",
} as const satisfies Record<EditorView, MessageKey>;

const NO_FINDINGS_TEXT = {
  checked: "editor.findings.none",
  checking: "editor.checking",
  unreachable: "editor.findings.unknown",
} as const satisfies Record<Validation["state"], MessageKey>;

export function EditDocumentPage(): ReactNode {
  const t = useT();
  const kind = useAddressPart("kind");
  const name = useAddressPart("name");
  const pending = usePending();
  const kept = pending.edits.find((edit) => sameDocument(edit, { kind, name }));
  const head = useQuery(queries.documentIfAny(kind, name));
  usePrefetchQuery(queries.schema(kind));
  const start: PendingEdit | undefined =
    kept ?? (head.data === undefined ? undefined : beginning(kind, name, head.data));
  return (
    <>
      <PageHead
        above={<AppLink to={paths.document(kind, name)}>{`${kind}/${name}`}</AppLink>}
        title={t("editor.title", { name })}
        badges={
          <span className="hf-badges">
            {start === undefined ? null : (
              <Label isCompact>
                {start.baseRevision === 0 ? t("change.new") : t("change.onRevision", { revision: start.baseRevision })}
              </Label>
            )}
            {kept === undefined ? null : (
              <Label isCompact color="purple">
                {t(kept.text === null ? "documents.pendingDelete" : "documents.pending")}
              </Label>
            )}
          </span>
        }
        {...(kind === "Tunnel" && start !== undefined ? { actions: <CertifyPerson edit={start} /> } : {})}
      />
      <PageBody>
        {kept?.text === null ? (
          <Deleting edit={kept} />
        ) : start === undefined ? (
          <Loaded query={head} what={`${kind}/${name}`}>
            {() => null}
          </Loaded>
        ) : (
          <Editor key={`${kind}/${name}`} edit={start} head={head.data ?? null} />
        )}
      </PageBody>
    </>
  );
}

function beginning(kind: string, name: string, head: Head | null): PendingEdit {
  return head === null
    ? {
        kind,
        name,
        text: `apiVersion: ${API_VERSION}\nkind: ${kind}\nname: ${name}\n`,
        baseRevision: 0,
        baseText: null,
      }
    : { kind, name, text: head.text ?? "", baseRevision: head.revision, baseText: head.text };
}

interface Head {
  readonly revision: number;
  readonly text: string | null;
  readonly author: string;
}

function Editor({ edit, head }: { readonly edit: PendingEdit; readonly head: Head | null }): ReactNode {
  const t = useT();
  const denied = useDenied()("edit");
  const schema = useQuery({ ...queries.schema(edit.kind), staleTime: Infinity });
  const text = edit.text ?? "";
  const validation = useValidation(text);
  const isPolicy = edit.kind === "Policy";
  const [asked, setView] = useSearchState("view");
  const [line, setLine] = useSearchState("line");
  const views = EDITOR_VIEWS.filter((one) => (one === "form" ? !isPolicy : isPolicy || !isSectionView(one)));
  // Chosen once: while the text is half typed, a section comes and goes, and the page must not jump.
  const [first] = useState(() => firstView(text, isPolicy));
  const view = views.find((one) => one === asked) ?? first;
  const [goTo, setGoTo] = useState<{ line: number; column: number } | null>(null);

  useEffect(() => {
    if (line === "") return;
    setGoTo({ line: Number(line), column: 1 });
    setLine("");
  }, [line, setLine]);

  const write = (next: string): void => updatePending((now) => withEdit(now, { ...edit, text: next }));
  const go = (finding: FindingLike): void => {
    if (finding.line === undefined) return;
    setView("text");
    setGoTo({ line: finding.line, column: finding.column ?? 1 });
  };
  const outline: Outline | undefined = schema.data;

  return (
    <div className="hf-editor">
      {denied === null ? null : <Alert component="p" isInline variant="info" title={denied} />}
      {head !== null && head.revision > edit.baseRevision ? <Moved edit={edit} head={head} /> : null}
      <div className="hf-line-row hf-editor-bar">
        <ToggleGroup aria-label={t("editor.views")}>
          {views.map((key) => (
            <ToggleGroupItem
              key={key}
              buttonId={`view-${key}`}
              text={t(VIEW_TEXT[key])}
              isSelected={view === key}
              onChange={() => setView(key)}
            />
          ))}
        </ToggleGroup>
        <Status validation={validation} />
      </div>
      <div className="hf-editor-main">
        <div className="hf-editor-pane">
          {view === "rules" ? (
            <RuleTable
              text={text}
              findings={validation.findings}
              onChange={write}
              onGo={go}
              disabled={denied !== null}
            />
          ) : null}
          {formRoot(view) === null || outline === undefined ? null : (
            <SchemaForm
              key={view}
              text={text}
              schema={outline}
              root={formRoot(view) ?? []}
              findings={validation.findings}
              onChange={write}
              onGo={go}
              disabled={denied !== null}
            />
          )}
          {view === "text" ? (
            <CodeEditor
              label={t("editor.text.label", { name: edit.name })}
              text={text}
              onChange={write}
              findings={validation.findings}
              schema={outline}
              goTo={goTo}
              readOnly={denied !== null}
            />
          ) : null}
          {view === "difference" ? (
            <TextDiff before={edit.baseText ?? ""} after={text} label={t("editor.view.difference")} />
          ) : null}
        </div>
        <aside className="hf-editor-findings" aria-label={t("editor.findings")}>
          <h2 className="hf-small-title">{t("editor.findings")}</h2>
          {validation.findings.length === 0 ? (
            <p className="hf-quiet">{t(NO_FINDINGS_TEXT[validation.state])}</p>
          ) : (
            <FindingList findings={validation.findings} onGo={go} />
          )}
        </aside>
      </div>
    </div>
  );
}

/** Sections of a policy that have a form or a table of their own. */
function isSectionView(view: EditorView): boolean {
  return view === "rules" || view === "network" || view === "system";
}

/** What the document is about, as far as one view shows it best. */
function firstView(text: string, isPolicy: boolean): EditorView {
  if (!isPolicy) return "text";
  if (/^firewall:/m.test(text)) return "rules";
  return (["network", "system"] as const).find((section) => new RegExp(`^${section}:`, "m").test(text)) ?? "text";
}

/** The part of the document that the form of a view is for; null: the view is no form. */
function formRoot(view: EditorView): readonly string[] | null {
  if (view === "form") return [];
  return view === "network" || view === "system" ? [view] : null;
}

function Status({ validation }: { readonly validation: Validation }): ReactNode {
  const t = useT();
  const isKept = useIsKept();
  return (
    <span className="hf-editor-status" role="status">
      <FindingCounts findings={validation.findings} />
      <span className="hf-quiet">{t(`editor.state.${validation.state}`)}</span>
      {isKept ? (
        <span className="hf-quiet">{t("editor.kept")}</span>
      ) : (
        <strong className="hf-bad-text">{t("editor.notKept")}</strong>
      )}
    </span>
  );
}

/** Nothing typed here turns a deletion into an edit unseen: it is dropped first, by its author. */
function Deleting({ edit }: { readonly edit: PendingEdit }): ReactNode {
  const t = useT();
  return (
    <Alert
      component="p"
      isInline
      variant="warning"
      title={t("editor.deleting")}
      actionLinks={
        <Button variant="link" isInline onClick={() => updatePending((now) => withoutEdit(now, edit))}>
          {t("editor.deleting.drop")}
        </Button>
      }
    />
  );
}

/** Somebody else's revision has become the head meanwhile. Nothing is merged behind the author's back. */
function Moved({ edit, head }: { readonly edit: PendingEdit; readonly head: Head }): ReactNode {
  const t = useT();
  return (
    <Alert
      component="p"
      isInline
      variant="warning"
      title={
        edit.baseRevision === 0
          ? t("editor.moved.new", { author: head.author, revision: head.revision })
          : t("editor.moved", { author: head.author, revision: head.revision, base: edit.baseRevision })
      }
      actionLinks={
        <>
          <Button
            variant="link"
            isInline
            onClick={() =>
              updatePending((now) => withEdit(now, { ...edit, baseRevision: head.revision, baseText: head.text }))
            }
          >
            {t("editor.moved.mine", { revision: head.revision })}
          </Button>
          <Button variant="link" isInline onClick={() => updatePending((now) => withoutEdit(now, edit))}>
            {t("editor.moved.theirs")}
          </Button>
        </>
      }
    >
      <details>
        <summary>{t("editor.moved.what")}</summary>
        <TextDiff before={edit.baseText ?? ""} after={head.text ?? ""} label={t("editor.moved.what")} />
      </details>
    </Alert>
  );
}
