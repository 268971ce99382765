import { parseItemName } from "@holdfast/core/policy/name.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { queries } from "../../api/queries.ts";
import { continueEdit } from "../../editor/continue-edit.ts";
import { currentPending, sameDocument, updatePending, usePending, withEdit } from "../../editor/pending.ts";
import { cellOf, isData, wordsToJson } from "../../editor/rule-rows.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { LineInput } from "./form-line.tsx";
import type { RuleHands } from "./rule-hands.ts";

interface ButtonsProps {
  readonly text: string;
  readonly rule: string;
  readonly open: string | null;
  readonly onOpen: (name: string | null) => void;
}

/** One for every word of a cell that is a name for others: what it holds is seen, and edited, below its rule. */
export function NameButtons({ text, rule, open, onOpen }: ButtonsProps): ReactNode {
  const t = useT();
  const names = text.split(", ").filter((word) => parseItemName(word).ok);
  return names.length === 0 ? null : (
    <span className="hf-labels">
      {names.map((name) => (
        <button
          key={name}
          type="button"
          className="hf-label-pair"
          aria-expanded={open === name}
          aria-label={t("rules.name.open", { name, rule })}
          onClick={() => onOpen(open === name ? null : name)}
        >
          {name} <span aria-hidden="true">{open === name ? "▴" : "▾"}</span>
        </button>
      ))}
    </span>
  );
}

/** What a name stands for: the policy's own definition, else the Group document of that name. */
export function RuleName({ name, hands }: { readonly name: string; readonly hands: RuleHands }): ReactNode {
  const t = useT();
  const own = hands.names.get(name);
  if (own === undefined) return <GroupWords name={name} hands={hands} />;
  return (
    <div className="hf-line-row">
      <strong>{name}</strong>
      <Words
        name={name}
        part={null}
        cell={own}
        disabled={hands.disabled}
        onCommit={(words) => hands.editName(name, words)}
      />
      <span className="hf-quiet">{t("rules.name.own")}</span>
    </div>
  );
}

const PARTS = ["addresses", "services"] as const;

function GroupWords({ name, hands }: { readonly name: string; readonly hands: RuleHands }): ReactNode {
  const t = useT();
  const head = useQuery(queries.documentIfAny("Group", name));
  const kept = usePending().edits.find((edit) => sameDocument(edit, { kind: "Group", name }));
  const text = kept === undefined ? (head.data?.text ?? null) : kept.text;
  const data = useMemo(() => (text === null ? undefined : readYaml(text).data), [text]);
  if (head.data === undefined)
    return (
      <Loaded query={head} what={`Group/${name}`}>
        {() => null}
      </Loaded>
    );
  if (text === null || !isData(data)) return <p className="hf-quiet">{t("rules.name.none", { name })}</p>;
  const start = head.data ?? { kind: "Group", name, revision: 0, text: null };
  const write = (part: string, words: string): boolean => {
    const edited = continueEdit(start, currentPending(), { kind: "set", path: [part], value: wordsToJson(words) });
    if (edited.ok) updatePending((now) => withEdit(now, edited.value));
    else hands.refuse(edited.error.why === "deleted" ? t("rules.name.none", { name }) : edited.error.sentence);
    return edited.ok;
  };
  return (
    <div className="hf-line-row">
      <AppLink to={paths.editDocument("Group", name)}>{`Group/${name}`}</AppLink>
      {PARTS.map((part) =>
        data[part] === undefined ? null : (
          <Words
            key={part}
            name={name}
            part={part}
            cell={cellOf(data[part])}
            disabled={hands.disabled}
            onCommit={(words) => write(part, words)}
          />
        ),
      )}
      <span className="hf-quiet">{t("rules.name.shared")}</span>
    </div>
  );
}

interface WordsProps {
  readonly name: string;
  readonly part: string | null;
  readonly cell: ReturnType<typeof cellOf>;
  readonly disabled: boolean;
  readonly onCommit: (words: string) => boolean;
}

function Words({ name, part, cell, disabled, onCommit }: WordsProps): ReactNode {
  const t = useT();
  if (cell !== null && !cell.editable)
    return (
      <code className="hf-quiet" title={t("rules.inText")}>
        {cell.text}
      </code>
    );
  return (
    <span className="hf-rule-words">
      <LineInput
        label={part === null ? t("rules.name.words", { name }) : t("rules.cell", { cell: part, name })}
        shown={cell?.text ?? ""}
        disabled={disabled}
        onCommit={onCommit}
      />
    </span>
  );
}
