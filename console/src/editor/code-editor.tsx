import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentService,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { Severity } from "@holdfast/core/base/finding.ts";
import type { Outline } from "@holdfast/core/policy/schema-outline.ts";
import { tags } from "@lezer/highlight";
import { type ReactNode, useEffect, useRef } from "react";
import type { FindingLike } from "../parts/finding-key.ts";
import { offersAt } from "./yaml-completion.ts";
import { indentAfter } from "./yaml-place.ts";

interface Props {
  readonly label: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly findings: readonly FindingLike[];
  readonly schema: Outline | undefined;
  /** 1-based line to show; a new object shows it again. */
  readonly goTo: { readonly line: number; readonly column: number } | null;
  readonly readOnly?: boolean;
}

const SEVERITY = { error: "error", danger: "error", warning: "warning", note: "info" } as const satisfies Record<
  Severity,
  Diagnostic["severity"]
>;

/** Colours come from the page's own theme, through variables that reach into the shadow. */
const LOOK = EditorView.theme({
  "&": {
    height: "100%",
    fontSize: "13px",
    color: "var(--pf-t--global--text--color--regular)",
    backgroundColor: "var(--pf-t--global--background--color--primary--default)",
  },
  ".cm-scroller": { fontFamily: "var(--pf-t--global--font--family--mono)", lineHeight: "1.55" },
  ".cm-gutters": {
    backgroundColor: "var(--pf-t--global--background--color--secondary--default)",
    color: "var(--pf-t--global--text--color--subtle)",
    border: "none",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hf-active-line)" },
  ".cm-cursor": { borderLeftColor: "var(--pf-t--global--text--color--regular)" },
  "&.cm-focused": { outline: "none" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
    backgroundColor: "var(--hf-selection) !important",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--pf-t--global--background--color--floating--default)",
    color: "var(--pf-t--global--text--color--regular)",
    border: "1px solid var(--pf-t--global--border--color--default)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--hf-selection)", color: "inherit" },
  ".cm-completionInfo": { maxWidth: "26rem" },
});

const COLOURS = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--hf-code-key)" },
    { tag: [tags.string, tags.content], color: "var(--pf-t--global--text--color--regular)" },
    { tag: [tags.comment, tags.lineComment], color: "var(--hf-code-comment)" },
    { tag: [tags.number, tags.bool, tags.keyword, tags.atom], color: "var(--hf-code-value)" },
    {
      tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace, tags.meta],
      color: "var(--hf-code-comment)",
    },
  ]),
);

function completions(schema: () => Outline | undefined): Extension {
  const source = (context: CompletionContext): CompletionResult | null => {
    const outline = schema();
    const line = context.state.doc.lineAt(context.pos);
    // Asked for, or a word has begun: not on every empty line.
    if (outline === undefined || (!context.explicit && !/[A-Za-z]$/.test(line.text.slice(0, context.pos - line.from))))
      return null;
    const { from, offers } = offersAt(outline, context.state.doc.toString(), context.pos);
    if (offers.length === 0) return null;
    return {
      from,
      validFor: /^[\w./-]*$/,
      options: offers.map(({ label, kind, insert, help }) => ({
        label,
        apply: insert,
        type: kind === "key" ? "property" : "constant",
        ...(help === null ? {} : { info: help }),
      })),
    };
  };
  return autocompletion({ override: [source], icons: false });
}

export function diagnosticsFor(state: EditorState, findings: readonly FindingLike[]): Diagnostic[] {
  return findings.flatMap((finding): Diagnostic[] => {
    if (finding.line === undefined) return [];
    const line = state.doc.line(Math.min(Math.max(1, finding.line), state.doc.lines));
    const from = Math.min(line.to, line.from + Math.max(0, (finding.column ?? 1) - 1));
    return [
      {
        from,
        to: line.to,
        severity: SEVERITY[finding.severity],
        source: finding.code,
        message: `${finding.message} ${finding.remedy}`,
      },
    ];
  });
}

/**
 * The text of a document. It lives in a shadow root, where the editor's style sheets are adopted as objects: the page then needs no inline
 * style, and its content security policy stays strict.
 */
export function CodeEditor({ label, text, onChange, findings, schema, goTo, readOnly = false }: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  /** What the editor itself has said and the page has not shown yet: a page that lags behind must not take keystrokes back. */
  const said = useRef<string[]>([]);
  const latest = useRef({ onChange, schema, text });
  useEffect(() => {
    latest.current = { onChange, schema, text };
  });

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const shadow = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const parent = document.createElement("div");
    parent.style.height = "100%";
    shadow.replaceChildren(parent);
    const editor = new EditorView({
      parent,
      root: shadow,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          lineNumbers(),
          highlightActiveLineGutter(),
          foldGutter(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          yaml(),
          indentService.of((context, position) => indentAfter(context.lineAt(position, -1).text)),
          COLOURS,
          LOOK,
          completions(() => latest.current.schema),
          keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
          EditorView.editable.of(!readOnly),
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            const next = update.state.doc.toString();
            said.current.push(next);
            latest.current.onChange(next);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [label, readOnly]);

  // The same document may have been changed in the rule table: only what differs is replaced, so that cursor and undo survive.
  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const at = said.current.indexOf(text);
    if (at >= 0) {
      said.current.splice(0, at + 1);
      return;
    }
    const now = editor.state.doc.toString();
    if (now === text) return;
    let head = 0;
    while (head < now.length && head < text.length && now[head] === text[head]) head += 1;
    let tail = 0;
    while (
      tail < now.length - head &&
      tail < text.length - head &&
      now[now.length - 1 - tail] === text[text.length - 1 - tail]
    )
      tail += 1;
    editor.dispatch({ changes: { from: head, to: now.length - tail, insert: text.slice(head, text.length - tail) } });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (editor !== null) editor.dispatch(setDiagnostics(editor.state, diagnosticsFor(editor.state, findings)));
  }, [findings]);

  useEffect(() => {
    const editor = view.current;
    if (editor === null || goTo === null) return;
    const line = editor.state.doc.line(Math.min(Math.max(1, goTo.line), editor.state.doc.lines));
    const at = Math.min(line.to, line.from + Math.max(0, goTo.column - 1));
    editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    editor.focus();
  }, [goTo]);

  return <div ref={host} className="hf-code" />;
}
