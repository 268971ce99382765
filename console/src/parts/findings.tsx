import { byDanger, SEVERITIES, type Severity } from "@holdfast/core/base/finding.ts";
import { Checkbox, Label, type LabelProps } from "@patternfly/react-core";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import FireIcon from "@patternfly/react-icons/dist/esm/icons/fire-icon";
import InfoCircleIcon from "@patternfly/react-icons/dist/esm/icons/info-circle-icon";
import { type ComponentType, type ReactNode, useId } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";
import { type FindingLike, findingKey } from "./finding-key.ts";

const LOOK = {
  error: { color: "red", icon: ExclamationCircleIcon, text: "severity.error" },
  danger: { color: "orangered", icon: FireIcon, text: "severity.danger" },
  warning: { color: "yellow", icon: ExclamationTriangleIcon, text: "severity.warning" },
  note: { color: "blue", icon: InfoCircleIcon, text: "severity.note" },
} as const satisfies Record<
  Severity,
  { color: NonNullable<LabelProps["color"]>; icon: ComponentType; text: MessageKey }
>;

export function SeverityLabel({
  severity,
  count,
}: {
  readonly severity: Severity;
  readonly count?: number;
}): ReactNode {
  const t = useT();
  const Icon = LOOK[severity].icon;
  return (
    <Label isCompact color={LOOK[severity].color} icon={<Icon />}>
      {t(LOOK[severity].text)}
      {count === undefined ? "" : ` ${count}`}
    </Label>
  );
}

/** How many of each, the worst first; nothing where there are none. */
export function FindingCounts({ findings }: { readonly findings: readonly FindingLike[] }): ReactNode {
  return (
    <span className="hf-badges">
      {SEVERITIES.map((severity) => ({
        severity,
        count: findings.filter((finding) => finding.severity === severity).length,
      }))
        .filter(({ count }) => count > 0)
        .map(({ severity, count }) => (
          <SeverityLabel key={severity} severity={severity} count={count} />
        ))}
    </span>
  );
}

interface Props {
  readonly findings: readonly FindingLike[];
  /** Where a place can be gone to. */
  readonly onGo?: (finding: FindingLike) => void;
  /** Danger is applied only where a person ticked this very finding. */
  readonly acknowledged?: ReadonlySet<string>;
  readonly onAcknowledge?: (key: string, yes: boolean) => void;
}

/** In order of danger. */
export function FindingList({ findings, onGo, acknowledged, onAcknowledge }: Props): ReactNode {
  if (findings.length === 0) return null;
  const sorted = findings.toSorted((a, b) => byDanger(a, b));
  return (
    <ul className="hf-findings">
      {sorted.map((finding) => (
        <FindingItem
          key={`${findingKey(finding)} ${finding.document ?? ""} ${finding.line ?? ""} ${finding.message}`}
          finding={finding}
          {...(onGo === undefined ? {} : { onGo })}
          {...(acknowledged === undefined || onAcknowledge === undefined ? {} : { acknowledged, onAcknowledge })}
        />
      ))}
    </ul>
  );
}

function FindingItem({
  finding,
  onGo,
  acknowledged,
  onAcknowledge,
}: Omit<Props, "findings"> & { readonly finding: FindingLike }): ReactNode {
  const t = useT();
  const id = useId();
  const place = [
    finding.document,
    finding.path === "" ? undefined : finding.path,
    finding.line === undefined ? undefined : t("finding.line", { line: finding.line }),
  ].filter((part) => part !== undefined);
  return (
    <li className="hf-finding" data-severity={finding.severity}>
      <SeverityLabel severity={finding.severity} />
      <div>
        <div id={`${id}-message`}>{finding.message}</div>
        <div className="hf-quiet">{finding.remedy}</div>
        <div className="hf-finding-place">
          <code>{finding.code}</code>
          {place.length === 0 ? null : onGo === undefined || finding.line === undefined ? (
            <span>{place.join(" · ")}</span>
          ) : (
            <button type="button" className="hf-link-button" onClick={() => onGo(finding)}>
              {place.join(" · ")}
            </button>
          )}
        </div>
        {finding.severity === "danger" && onAcknowledge !== undefined ? (
          <Checkbox
            id={id}
            label={t("finding.acknowledge")}
            aria-describedby={`${id}-message`}
            isChecked={acknowledged?.has(findingKey(finding)) ?? false}
            onChange={(_event, checked) => onAcknowledge(findingKey(finding), checked)}
          />
        ) : null}
      </div>
    </li>
  );
}
