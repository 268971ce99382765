import { err, type Result } from "@holdfast/core/base/result.ts";
import { Alert, Button, SearchInput } from "@patternfly/react-core";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import {
  addRule,
  copyRule,
  editCells,
  editName,
  moveRule,
  removeRule,
  type RuleBook,
  type RuleItem,
} from "../../editor/rule-book.ts";
import { type CellEdit, HOOKS } from "../../editor/rule-rows.ts";
import { performBeside } from "../../editor/rule-task.ts";
import { useRuleBook } from "../../editor/use-rule-book.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { Refusal } from "./form-line.tsx";
import type { RuleHands } from "./rule-hands.ts";
import { RuleSection } from "./rule-section.tsx";

interface Props {
  readonly text: string;
  readonly findings: readonly FindingLike[];
  readonly onChange: (text: string) => void;
  readonly onGo: (finding: FindingLike) => void;
  readonly disabled: boolean;
}

/** The firewall part of the text as tables: the same document, edited through its syntax tree. */
export function RuleTable({ text, findings, onChange, onGo, disabled }: Props): ReactNode {
  const t = useT();
  const { reading, keep, latest } = useRuleBook(text);
  if (reading.state === "reading")
    return (
      <p role="status" className="hf-quiet">
        {t("rules.reading")}
      </p>
    );
  if (reading.state === "unreadable")
    return <Alert component="p" isInline variant="warning" title={t("rules.unreadable")} />;
  const write = (book: RuleBook): void => {
    keep(book);
    onChange(book.text);
  };
  return (
    <Rules
      book={reading.book}
      latest={() => latest() ?? reading.book}
      findings={findings}
      onWrite={write}
      onGo={onGo}
      disabled={disabled}
    />
  );
}

interface RulesProps extends Omit<Props, "text" | "onChange"> {
  readonly book: RuleBook;
  /** What an edit is made of: a field may be left, and so written, while the picture of another edit is on its way. */
  readonly latest: () => RuleBook;
  readonly onWrite: (book: RuleBook) => void;
}

interface Step {
  readonly before: RuleBook;
  readonly after: string;
  readonly words: string;
}

/** Steps back that are kept. Each holds a text; the rules themselves are shared between them. */
const MOST_STEPS = 30;
/** Above this many at once, the edit is made beside the page. */
const MANY_AT_ONCE = 100;

function Rules({ book, latest, findings, onWrite, onGo, disabled }: RulesProps): ReactNode {
  const t = useT();
  const [filter, setFilter] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const [working, setWorking] = useState<number | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const placed = useMemo(() => byRule(findings), [findings]);
  const chosenIds = useMemo(
    () => book.lists.flatMap((list) => list.items.flatMap(({ id }) => (chosen.has(id) ? [id] : []))),
    [book, chosen],
  );
  const isIdle = working === null && !disabled;

  const take = (edit: (now: RuleBook) => Result<RuleBook, string>, words: string): boolean => {
    const before = latest();
    const result = edit(before);
    setRefusal(result.ok ? null : result.error);
    if (!result.ok) return false;
    setSaid(words);
    if (result.value.text !== before.text)
      setSteps((now) => [
        ...now.filter(({ after }) => after !== result.value.text).slice(1 - MOST_STEPS),
        { before, after: result.value.text, words },
      ]);
    onWrite(result.value);
    return true;
  };
  const nameOf = (id: number): string => itemOf(book, id)?.row.name ?? "";
  const hands: RuleHands = {
    disabled: !isIdle,
    names: book.names,
    edit: (id, edit) => take((now) => editCells(now, [id], edit), t("rules.said.edited", { name: nameOf(id) })),
    move: (id, to) => take((now) => moveRule(now, id, to), t("rules.said.moved", { name: nameOf(id), place: to + 1 })),
    copy: (id) => take((now) => copyRule(now, id), t("rules.said.copied", { name: nameOf(id) })),
    remove: (id) => take((now) => removeRule(now, id), t("rules.said.removed", { name: nameOf(id) })),
    add: (hook) => take((now) => addRule(now, hook), t("rules.said.added")),
    editName: (name, words) => take((now) => editName(now, name, words), t("rules.said.edited", { name })),
    refuse: setRefusal,
    go: onGo,
  };
  const switchAll = async (enabled: boolean): Promise<void> => {
    const ids = chosenIds;
    const edit: CellEdit = { kind: "enabled", enabled };
    const words = t(enabled ? "rules.said.on" : "rules.said.off", { count: ids.length });
    if (ids.length <= MANY_AT_ONCE) {
      take((now) => editCells(now, ids, edit), words);
      return;
    }
    setWorking(ids.length);
    abort.current = new AbortController();
    const { signal } = abort.current;
    const start = latest();
    const edited = await performBeside("editMany", { book: start, ids, edit }, signal);
    if (signal.aborted) return;
    setWorking(null);
    // Written in another window meanwhile: that is not overwritten.
    take((now) => (now === start ? edited : err(t("rules.moved"))), words);
  };
  const last = steps.at(-1);
  // What was written elsewhere in between is not taken back with it.
  const back = last?.after === book.text ? last : null;
  const undo = ({ before, words }: Step): void => {
    setSteps((now) => now.slice(0, -1));
    setRefusal(null);
    setSaid(t("rules.said.undone", { words }));
    onWrite(before);
  };
  const missing = HOOKS.filter((hook) => !book.sections.some((section) => section.hook === hook));

  return (
    <div className="hf-stack">
      <Refusal sentence={refusal} />
      <span role="status" className="hf-sr">
        {said}
      </span>
      <div className="hf-line-row">
        <SearchInput
          className="hf-search"
          aria-label={t("rules.filter")}
          placeholder={t("rules.filter")}
          value={filter}
          onChange={(_event, value) => setFilter(value)}
          onClear={() => setFilter("")}
        />
        {back === null ? null : (
          <Button size="sm" variant="link" isDisabled={!isIdle} onClick={() => undo(back)}>
            {t("rules.undo", { words: back.words })}
          </Button>
        )}
        <span className="hf-quiet">{t("rules.keys")}</span>
      </div>
      {chosenIds.length === 0 ? null : (
        <div className="hf-line-row hf-rule-chosen">
          <strong role="status">
            {working === null ? t("rules.chosen", { count: chosenIds.length }) : t("rules.working", { count: working })}
          </strong>
          <Button size="sm" variant="secondary" isDisabled={!isIdle} onClick={() => void switchAll(true)}>
            {t("rules.turnOn")}
          </Button>
          <Button size="sm" variant="secondary" isDisabled={!isIdle} onClick={() => void switchAll(false)}>
            {t("rules.turnOff")}
          </Button>
          <Button size="sm" variant="link" onClick={() => setChosen(new Set())}>
            {t("rules.choose.none")}
          </Button>
        </div>
      )}
      {book.sections.map(({ hook, fallback }) => (
        <RuleSection
          key={hook}
          hook={hook}
          fallback={fallback}
          lists={book.lists.filter((list) => list.hook === hook)}
          filter={filter}
          chosen={chosen}
          onChoose={(ids, yes) => setChosen((now) => withChosen(now, ids, yes))}
          findings={placed}
          hands={hands}
        />
      ))}
      {missing.length === 0 ? null : (
        <p className="hf-quiet">{t("rules.notOurs", { hooks: missing.map((hook) => t(`hook.${hook}`)).join(", ") })}</p>
      )}
    </div>
  );
}

function itemOf(book: RuleBook, id: number): RuleItem | undefined {
  return book.lists.flatMap((list) => list.items).find((item) => item.id === id);
}

function withChosen(now: ReadonlySet<number>, ids: readonly number[], yes: boolean): ReadonlySet<number> {
  const next = new Set(now);
  for (const id of ids) {
    if (yes) next.add(id);
    else next.delete(id);
  }
  return next;
}

/** Remarks by the rule that they are about. */
function byRule(findings: readonly FindingLike[]): ReadonlyMap<string, readonly FindingLike[]> {
  const found = new Map<string, FindingLike[]>();
  for (const finding of findings) {
    const place = /^firewall\.(inbound|forward|outbound)\.(first|rules)\[(\d+)\]/.exec(finding.path);
    if (place === null) continue;
    const key = place.slice(1).join(" ");
    found.set(key, [...(found.get(key) ?? []), finding]);
  }
  return found;
}
