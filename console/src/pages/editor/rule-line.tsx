import { Button, Switch } from "@patternfly/react-core";
import ArrowDownIcon from "@patternfly/react-icons/dist/esm/icons/arrow-down-icon";
import ArrowUpIcon from "@patternfly/react-icons/dist/esm/icons/arrow-up-icon";
import CopyIcon from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import GripVerticalIcon from "@patternfly/react-icons/dist/esm/icons/grip-vertical-icon";
import TrashIcon from "@patternfly/react-icons/dist/esm/icons/trash-icon";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type Cell, type CellEdit, type RuleRow, VERBS } from "../../editor/rule-rows.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { FindingList } from "../../parts/findings.tsx";
import { LineInput } from "./form-line.tsx";
import type { RuleHands } from "./rule-hands.ts";
import { NameButtons, RuleName } from "./rule-name.tsx";

interface Props {
  readonly id: number;
  readonly row: RuleRow;
  /** In the table, from 1 on, the head included. */
  readonly rowIndex: number;
  /** Rules in the same list. */
  readonly count: number;
  readonly findings: readonly FindingLike[];
  readonly isChosen: boolean;
  readonly onChoose: (yes: boolean) => void;
  /** False: it was refused, and why is shown. */
  readonly onMove: (to: number) => boolean;
  readonly onGrab: (event: PointerEvent) => void;
  readonly hands: RuleHands;
}

/** The rule whose move was asked for by key: it takes the focus again at its new place, so that the key can be pressed again. */
let moved: number | null = null;

export function RuleLine(props: Props): ReactNode {
  const { id, row, rowIndex, count, findings, isChosen, onChoose, onMove, onGrab, hands } = props;
  const { disabled } = hands;
  const t = useT();
  const line = useRef<HTMLTableRowElement>(null);
  const [openName, setOpenName] = useState<string | null>(null);
  useEffect(() => {
    if (moved !== id) return;
    moved = null;
    line.current?.querySelector<HTMLElement>("[data-move]")?.focus();
  }, [id, row.index]);

  const move = (to: number): boolean => {
    if (disabled || to < 0 || to >= count) return false;
    moved = id;
    const went = onMove(to);
    if (!went) moved = null;
    return went;
  };
  const moveToPlace = (typed: string): boolean => {
    const place = Number(typed);
    if (Number.isInteger(place) && place >= 1 && place <= count) return move(place - 1);
    hands.refuse(t("rules.place.none", { count }));
    return false;
  };
  const keys = (event: KeyboardEvent): void => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    move(row.index + (event.key === "ArrowUp" ? -1 : 1));
  };
  const edit = (change: CellEdit): boolean => hands.edit(id, change);
  const label = (cell: string): string => t("rules.cell", { cell, name: row.name });
  const names = (text: string): ReactNode => (
    <NameButtons text={text} rule={row.name} open={openName} onOpen={setOpenName} />
  );

  return (
    <>
      <tr ref={line} aria-rowindex={rowIndex} onKeyDown={keys} data-off={!row.enabled} className="hf-rule">
        <td data-label={t("rule.order")}>
          <span className="hf-rule-order">
            <span className="hf-rule-grip" aria-hidden="true" onPointerDown={disabled ? undefined : onGrab}>
              <GripVerticalIcon />
            </span>
            <input
              type="checkbox"
              aria-label={t("rules.choose", { name: row.name })}
              checked={isChosen}
              disabled={disabled}
              onChange={(event) => onChoose(event.target.checked)}
            />
            {row.place === "first" ? <span className="hf-quiet">↥</span> : null}
            <span className="hf-rule-place">
              <LineInput
                label={label(t("rule.place"))}
                shown={String(row.index + 1)}
                disabled={disabled}
                onCommit={moveToPlace}
              />
            </span>
            <Button
              data-move
              variant="plain"
              size="sm"
              hasNoPadding
              icon={<ArrowUpIcon />}
              aria-label={t("rules.up", { name: row.name })}
              isDisabled={disabled}
              isAriaDisabled={row.index === 0}
              onClick={() => move(row.index - 1)}
            />
            <Button
              variant="plain"
              size="sm"
              hasNoPadding
              icon={<ArrowDownIcon />}
              aria-label={t("rules.down", { name: row.name })}
              isDisabled={disabled}
              isAriaDisabled={row.index === count - 1}
              onClick={() => move(row.index + 1)}
            />
          </span>
        </td>
        <td data-label={t("rule.on")}>
          <Switch
            aria-label={t("rules.enabled", { name: row.name })}
            isChecked={row.enabled}
            isDisabled={disabled}
            onChange={(_event, checked) => edit({ kind: "enabled", enabled: checked })}
          />
        </td>
        <td data-label={t("rule.name")}>
          <CellInput
            label={label(t("rule.name"))}
            cell={{ text: row.name, editable: true }}
            disabled={disabled}
            onCommit={(text) => edit({ kind: "name", text })}
          />
        </td>
        <td data-label={t("rule.verb")}>
          <select
            className="hf-cell hf-verb"
            data-verb={row.verb}
            aria-label={label(t("rule.verb"))}
            disabled={disabled}
            value={row.verb ?? ""}
            onChange={(event) => chooseVerb(event.target.value, edit)}
          >
            {row.verb === null ? <option value="">?</option> : null}
            {VERBS.map((verb) => (
              <option key={verb} value={verb}>
                {verb}
              </option>
            ))}
          </select>
        </td>
        <td data-label={t("rule.services")}>
          <CellInput
            label={label(t("rule.services"))}
            cell={{ text: row.services, editable: true }}
            disabled={disabled}
            onCommit={(text) => edit({ kind: "services", text })}
          />
          {names(row.services)}
          {row.extras.length === 0 ? null : (
            <span className="hf-labels">
              {row.extras.map((extra) => (
                <span key={extra} className="hf-label-pair">
                  {extra}
                </span>
              ))}
            </span>
          )}
        </td>
        {row.hook === "outbound" ? null : (
          <td data-label={t("rule.from")}>
            <CellInput
              label={label(t("rule.from"))}
              cell={row.from}
              disabled={disabled}
              onCommit={(text) => edit({ kind: "from", text })}
            />
            {row.from?.editable === true ? names(row.from.text) : null}
          </td>
        )}
        {row.hook === "inbound" ? null : (
          <td data-label={t("rule.to")}>
            <CellInput
              label={label(t("rule.to"))}
              cell={row.to}
              disabled={disabled}
              onCommit={(text) => edit({ kind: "to", text })}
            />
            {row.to?.editable === true ? names(row.to.text) : null}
          </td>
        )}
        <td data-label={t("rule.why")}>
          <CellInput
            label={label(t("rule.why"))}
            cell={{ text: row.why, editable: true }}
            disabled={disabled}
            onCommit={(text) => edit({ kind: "why", text })}
          />
        </td>
        <td data-label={t("rule.acts")}>
          <span className="hf-rule-acts">
            <Button
              variant="plain"
              size="sm"
              hasNoPadding
              icon={<CopyIcon />}
              aria-label={t("rules.copy", { name: row.name })}
              isDisabled={disabled}
              onClick={() => hands.copy(id)}
            />
            <Button
              variant="plain"
              size="sm"
              hasNoPadding
              icon={<TrashIcon />}
              aria-label={t("rules.remove", { name: row.name })}
              isDisabled={disabled}
              onClick={() => hands.remove(id)}
            />
          </span>
        </td>
      </tr>
      {openName === null ? null : (
        <tr className="hf-rule-findings">
          <td />
          <td colSpan={7}>
            <RuleName name={openName} hands={hands} />
          </td>
        </tr>
      )}
      {findings.length === 0 ? null : (
        <tr className="hf-rule-findings">
          <td />
          <td colSpan={7}>
            <FindingList findings={findings} onGo={hands.go} />
          </td>
        </tr>
      )}
    </>
  );
}

function chooseVerb(value: string, edit: (change: CellEdit) => boolean): void {
  const verb = VERBS.find((one) => one === value);
  if (verb !== undefined) edit({ kind: "verb", verb });
}

interface CellInputProps {
  readonly label: string;
  readonly cell: Cell;
  readonly disabled: boolean;
  readonly onCommit: (text: string) => boolean;
}

function CellInput({ label, cell, disabled, onCommit }: CellInputProps): ReactNode {
  const t = useT();
  const shown = cell?.text ?? "";
  if (cell === null || cell.editable)
    return <LineInput label={label} shown={shown} disabled={disabled} onCommit={onCommit} />;
  return (
    <code className="hf-quiet" title={t("rules.inText")}>
      {shown}
    </code>
  );
}
