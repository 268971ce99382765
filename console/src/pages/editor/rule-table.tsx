import type { Result } from "@holdfast/core/base/result.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { Alert, Button, SearchInput } from "@patternfly/react-core";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import { type ReactNode, useMemo, useState } from "react";
import {
  addRule,
  editRule,
  freshName,
  HOOKS,
  type Hook,
  type RuleEdit,
  type RuleRow,
  rulePath,
  ruleSections,
} from "../../editor/rule-rows.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Refusal } from "./form-line.tsx";
import { RuleLine } from "./rule-line.tsx";

interface Props {
  readonly text: string;
  readonly findings: readonly FindingLike[];
  readonly onChange: (text: string) => void;
  readonly onGo: (finding: FindingLike) => void;
  readonly disabled: boolean;
}

/** More rows at once make a browser slow; the filter finds the rest, and the text has all. */
const MOST_ROWS = 400;

/** The firewall part of the text as tables: the same document, edited through its syntax tree. */
export function RuleTable({ text, findings, onChange, onGo, disabled }: Props): ReactNode {
  const t = useT();
  const sections = useMemo(() => ruleSections(text), [text]);
  const [filter, setFilter] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [said, setSaid] = useState("");

  if (sections === null) return <Alert component="p" isInline variant="warning" title={t("rules.unreadable")} />;
  const take = (result: Result<string, string>, words: string): boolean => {
    setRefusal(result.ok ? null : result.error);
    if (!result.ok) return false;
    setSaid(words);
    onChange(result.value);
    return true;
  };
  const change = (row: RuleRow, edit: RuleEdit): boolean => {
    const words =
      edit.kind === "move"
        ? t("rules.said.moved", { name: row.name, place: edit.to + 1 })
        : edit.kind === "remove"
          ? t("rules.said.removed", { name: row.name })
          : "";
    return take(editRule(text, row, edit), words);
  };
  const add = (hook: Hook, rows: readonly RuleRow[]): void => {
    const own = rows.filter((row) => row.place === "rules");
    const name = freshName(rows);
    take(addRule(text, hook, own.length, name), t("rules.said.added", { name }));
  };
  const missing = HOOKS.filter((hook) => !sections.some((section) => section.hook === hook));

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
        <span className="hf-quiet">{t("rules.keys")}</span>
      </div>
      {sections.map(({ hook, fallback, rows }) => {
        const found = rows.filter((row) =>
          `${row.name} ${row.services} ${row.from?.text ?? ""} ${row.to?.text ?? ""} ${row.why}`
            .toLowerCase()
            .includes(filter.toLowerCase()),
        );
        return (
          <section key={hook}>
            <h2 className="hf-small-title">{t(`hook.${hook}`)}</h2>
            <div className="hf-wide">
              <table className="hf-table hf-rules">
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
                    { hidden: "rule.remove" },
                  ]}
                />
                <tbody>
                  <tr className="hf-locked-row">
                    <td>
                      <LockIcon />
                    </td>
                    <td colSpan={7}>{t("rules.locked")}</td>
                  </tr>
                  {found.slice(0, MOST_ROWS).map((row) => (
                    <RuleLine
                      key={`${row.place} ${row.index} ${row.name}`}
                      row={row}
                      count={rows.filter((one) => one.place === row.place).length}
                      findings={findingsOf(findings, row)}
                      disabled={disabled}
                      onEdit={(edit) => change(row, edit)}
                      onGo={onGo}
                    />
                  ))}
                  <tr className="hf-default-row">
                    <td />
                    <td />
                    <td>{t("rule.default")}</td>
                    <td colSpan={5}>
                      {fallback === null ? t("rules.noDefault") : <strong>{fallback}</strong>}{" "}
                      <span className="hf-quiet">{t("rule.default.why")}</span>
                    </td>
                  </tr>
                </tbody>
              </table>
            </div>
            {found.length > MOST_ROWS ? (
              <p className="hf-quiet">{t("rules.more", { count: found.length - MOST_ROWS })}</p>
            ) : null}
            <Button size="sm" variant="secondary" isDisabled={disabled} onClick={() => add(hook, rows)}>
              {t("rules.add")}
            </Button>
          </section>
        );
      })}
      {missing.length === 0 ? null : (
        <p className="hf-quiet">{t("rules.notOurs", { hooks: missing.map((hook) => t(`hook.${hook}`)).join(", ") })}</p>
      )}
    </div>
  );
}

function findingsOf(findings: readonly FindingLike[], row: RuleRow): readonly FindingLike[] {
  const path = formatPath(rulePath(row));
  return findings.filter(
    (finding) => finding.path === path || finding.path.startsWith(`${path}.`) || finding.path.startsWith(`${path}[`),
  );
}
