import { Button, Switch } from "@patternfly/react-core";
import ArrowDownIcon from "@patternfly/react-icons/dist/esm/icons/arrow-down-icon";
import ArrowUpIcon from "@patternfly/react-icons/dist/esm/icons/arrow-up-icon";
import TrashIcon from "@patternfly/react-icons/dist/esm/icons/trash-icon";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { type Cell, type RuleEdit, type RuleRow, VERBS } from "../../editor/rule-rows.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { FindingList } from "../../parts/findings.tsx";
import { LineInput } from "./form-line.tsx";

interface Props {
  readonly row: RuleRow;
  /** Rules in the same list. */
  readonly count: number;
  readonly findings: readonly FindingLike[];
  readonly disabled: boolean;
  /** False: it was refused, and why is shown. */
  readonly onEdit: (edit: RuleEdit) => boolean;
  readonly onGo: (finding: FindingLike) => void;
}

/** The rule whose move was asked for by key: its new row takes the focus, so that the key can be pressed again. */
let moved: string | null = null;

export function RuleLine({ row, count, findings, disabled, onEdit, onGo }: Props): ReactNode {
  const t = useT();
  const line = useRef<HTMLTableRowElement>(null);
  const id = `${row.hook} ${row.place} ${row.name}`;
  useEffect(() => {
    if (moved !== id) return;
    moved = null;
    line.current?.querySelector<HTMLElement>("[data-move]")?.focus();
  }, [id]);

  const move = (to: number): void => {
    if (disabled || to < 0 || to >= count) return;
    if (onEdit({ kind: "move", to })) moved = id;
  };
  const keys = (event: KeyboardEvent): void => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    move(row.index + (event.key === "ArrowUp" ? -1 : 1));
  };
  const label = (cell: string): string => t("rules.cell", { cell, name: row.name });

  return (
    <>
      <tr ref={line} onKeyDown={keys} data-off={!row.enabled} className="hf-rule">
        <td data-label={t("rule.order")}>
          <span className="hf-rule-order">
            <span className="hf-number hf-quiet">{row.place === "first" ? `↥${row.index + 1}` : row.index + 1}</span>
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
            onChange={(_event, checked) => onEdit({ kind: "enabled", enabled: checked })}
          />
        </td>
        <td data-label={t("rule.name")}>
          <CellInput
            label={label(t("rule.name"))}
            cell={{ text: row.name, editable: true }}
            disabled={disabled}
            onCommit={(text) => onEdit({ kind: "name", text })}
          />
        </td>
        <td data-label={t("rule.verb")}>
          <select
            className="hf-cell hf-verb"
            data-verb={row.verb}
            aria-label={label(t("rule.verb"))}
            disabled={disabled}
            value={row.verb ?? ""}
            onChange={(event) => chooseVerb(event.target.value, onEdit)}
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
            onCommit={(text) => onEdit({ kind: "services", text })}
          />
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
              onCommit={(text) => onEdit({ kind: "from", text })}
            />
          </td>
        )}
        {row.hook === "inbound" ? null : (
          <td data-label={t("rule.to")}>
            <CellInput
              label={label(t("rule.to"))}
              cell={row.to}
              disabled={disabled}
              onCommit={(text) => onEdit({ kind: "to", text })}
            />
          </td>
        )}
        <td data-label={t("rule.why")}>
          <CellInput
            label={label(t("rule.why"))}
            cell={{ text: row.why, editable: true }}
            disabled={disabled}
            onCommit={(text) => onEdit({ kind: "why", text })}
          />
        </td>
        <td data-label={t("rule.remove")}>
          <Button
            variant="plain"
            size="sm"
            hasNoPadding
            icon={<TrashIcon />}
            aria-label={t("rules.remove", { name: row.name })}
            isDisabled={disabled}
            onClick={() => onEdit({ kind: "remove" })}
          />
        </td>
      </tr>
      {findings.length === 0 ? null : (
        <tr className="hf-rule-findings">
          <td />
          <td colSpan={7}>
            <FindingList findings={findings} onGo={onGo} />
          </td>
        </tr>
      )}
    </>
  );
}

function chooseVerb(value: string, onEdit: Props["onEdit"]): void {
  const verb = VERBS.find((one) => one === value);
  if (verb !== undefined) onEdit({ kind: "verb", verb });
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
