import { Button, Checkbox } from "@patternfly/react-core";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import type { RuleItem, RuleList } from "../../editor/rule-book.ts";
import type { Hook } from "../../editor/rule-rows.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { useRuleDrag } from "./rule-drag.ts";
import type { RuleHands } from "./rule-hands.ts";
import { RuleLine } from "./rule-line.tsx";

interface Props {
  readonly hook: Hook;
  readonly fallback: string | null;
  readonly lists: readonly RuleList[];
  readonly filter: string;
  readonly chosen: ReadonlySet<number>;
  readonly onChoose: (ids: readonly number[], yes: boolean) => void;
  readonly findings: ReadonlyMap<string, readonly FindingLike[]>;
  readonly hands: RuleHands;
}

/** From this many rows on, only those in view exist; below it, all do, and the browser's own search finds them. */
const MANY = 120;
/** Pixels of a rule without remarks; the real ones are measured. */
const ROW_HEIGHT = 42;
/** Rows beyond the edges, so that a turn of the wheel shows no blank. */
const OVERSCAN = 10;
const COLUMNS = 8;

interface Shown {
  readonly item: RuleItem;
  readonly list: RuleList;
}

/** The rules of one direction, first match first. */
export function RuleSection(props: Props): ReactNode {
  const { hook, fallback, lists, filter, chosen, onChoose, findings, hands } = props;
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => matching(lists, filter), [lists, filter]);
  const isMany = shown.length > MANY;
  const rows = useVirtualizer({
    count: isMany ? shown.length : 0,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => shown[index]?.item.id ?? index,
    overscan: OVERSCAN,
  });
  const move = (id: number, to: number): boolean => {
    if (!hands.move(id, to)) return false;
    if (isMany) {
      const from = shown.findIndex(({ item }) => item.id === id);
      const list = shown[from]?.list;
      // The row that stands now where the moved one will be: near enough to be in view.
      const at = shown.findIndex((one) => one.list === list && one.item.row.index >= to);
      if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
    }
    return true;
  };
  const { drag, begin } = useRuleDrag(frame, (id, over, below) => {
    const from = shown.find(({ item }) => item.id === id)?.item.row.index ?? 0;
    const target = shown.find(({ item }) => item.id === over)?.item.row.index ?? from;
    const at = target + (below ? 1 : 0);
    move(id, at > from ? at - 1 : at);
  });
  const inView = rows.getVirtualItems();
  const lines = isMany ? inView.map(({ index }) => index) : shown.map((_, index) => index);
  const before = isMany ? (inView[0]?.start ?? 0) : 0;
  const after = isMany ? rows.getTotalSize() - (inView.at(-1)?.end ?? 0) : 0;
  const ids = shown.map(({ item }) => item.id);
  const isAllChosen = ids.length > 0 && ids.every((id) => chosen.has(id));

  return (
    <section>
      <div className="hf-line-row">
        <h2 className="hf-small-title">{t(`hook.${hook}`)}</h2>
        {ids.length === 0 ? null : (
          <Checkbox
            id={`choose-${hook}`}
            label={t("rules.choose.all", { count: ids.length })}
            isChecked={isAllChosen}
            isDisabled={hands.disabled}
            onChange={(_event, yes) => onChoose(ids, yes)}
          />
        )}
      </div>
      <div className="hf-rule-frame" data-many={isMany} ref={frame}>
        <table className="hf-table hf-rules" aria-rowcount={shown.length + 3}>
          <caption className="hf-sr">{t(`hook.${hook}`)}</caption>
          <TableHead
            columns={[
              "rule.order",
              "rule.on",
              "rule.name",
              "rule.verb",
              "rule.services",
              hook === "outbound" ? null : "rule.from",
              hook === "inbound" ? null : "rule.to",
              "rule.why",
              { hidden: "rule.acts" },
            ]}
          />
          <tbody>
            <tr className="hf-locked-row" aria-rowindex={2}>
              <td>
                <LockIcon />
              </td>
              <td colSpan={COLUMNS}>{t("rules.locked")}</td>
            </tr>
          </tbody>
          <Space height={before} />
          {lines.map((index) => {
            const one = shown[index];
            if (one === undefined) return null;
            const { item, list } = one;
            return (
              <tbody
                key={item.id}
                ref={isMany ? rows.measureElement : undefined}
                data-index={index}
                data-rule={item.id}
                data-list={list.place}
                data-dragged={drag?.id === item.id}
                data-drop={drag?.over?.id === item.id ? (drag.over.below ? "below" : "above") : undefined}
              >
                <RuleLine
                  id={item.id}
                  row={item.row}
                  rowIndex={index + 3}
                  count={list.items.length}
                  findings={findings.get(`${item.row.hook} ${item.row.place} ${item.row.index}`) ?? []}
                  isChosen={chosen.has(item.id)}
                  onChoose={(yes) => onChoose([item.id], yes)}
                  onMove={(to) => move(item.id, to)}
                  onGrab={(event) => begin(event, item.id)}
                  hands={hands}
                />
              </tbody>
            );
          })}
          <Space height={after} />
          <tbody>
            <tr className="hf-default-row" aria-rowindex={shown.length + 3}>
              <td />
              <td />
              <td>{t("rule.default")}</td>
              <td colSpan={COLUMNS - 2}>
                {fallback === null ? t("rules.noDefault") : <strong>{fallback}</strong>}{" "}
                <span className="hf-quiet">{t("rule.default.why")}</span>
              </td>
            </tr>
          </tbody>
        </table>
      </div>
      <Button size="sm" variant="secondary" isDisabled={hands.disabled} onClick={() => hands.add(hook)}>
        {t("rules.add")}
      </Button>
    </section>
  );
}

/** Stands for the rows that are not there. */
function Space({ height }: { readonly height: number }): ReactNode {
  return height <= 0 ? null : (
    <tbody aria-hidden="true" className="hf-rule-space">
      <tr>
        <td colSpan={COLUMNS} style={{ height }} />
      </tr>
    </tbody>
  );
}

function matching(lists: readonly RuleList[], filter: string): readonly Shown[] {
  const wanted = filter.toLowerCase();
  return lists.flatMap((list) =>
    list.items.flatMap((item) => (wanted === "" || wordsOf(item).includes(wanted) ? [{ item, list }] : [])),
  );
}

function wordsOf({ row }: RuleItem): string {
  return `${row.name} ${row.verb ?? ""} ${row.services} ${row.from?.text ?? ""} ${row.to?.text ?? ""} ${row.why}`.toLowerCase();
}
