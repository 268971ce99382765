import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { barsOfTheLastDay } from "./failures-of-the-last-day.ts";

const HEIGHT = 56;
const BAR = 14;
const GAP = 4;

/** Applies by hour. Undone stands in the middle in stripes and failed at the bottom, so that colour is not the only mark. */
export function FailureChart({
  applies,
  nowMs,
}: {
  readonly applies: readonly ApplySummary[];
  readonly nowMs: number;
}): ReactNode {
  const t = useT();
  const bars = barsOfTheLastDay(applies, nowMs);
  const sum = (pick: (bar: (typeof bars)[number]) => number): number =>
    bars.reduce((total, bar) => total + pick(bar), 0);
  const totals = {
    applied: sum((bar) => bar.applied),
    undone: sum((bar) => bar.undone),
    failed: sum((bar) => bar.failed),
  };
  const top = Math.max(4, ...bars.map((bar) => bar.applied + bar.undone + bar.failed));
  const scale = (count: number): number => (count / top) * HEIGHT;
  const width = bars.length * (BAR + GAP);
  return (
    <figure className="hf-chart">
      <svg
        viewBox={`0 0 ${width} ${HEIGHT + 1}`}
        role="img"
        aria-label={t("chart.summary", totals)}
        preserveAspectRatio="none"
      >
        <defs>
          <pattern id="hf-stripes" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="4" height="4" className="hf-chart-undone-ground" />
            <rect width="2" height="4" className="hf-chart-undone" />
          </pattern>
        </defs>
        <line x1="0" x2={width} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} className="hf-chart-axis" />
        {bars.map((bar, index) => {
          const x = index * (BAR + GAP);
          const failed = scale(bar.failed);
          const undone = scale(bar.undone);
          const applied = scale(bar.applied);
          return (
            <g key={bar.hoursAgo}>
              <title>
                {t("chart.bar", { hours: bar.hoursAgo, applied: bar.applied, undone: bar.undone, failed: bar.failed })}
              </title>
              <rect x={x} y={0} width={BAR} height={HEIGHT} className="hf-chart-ground" />
              <rect x={x} y={HEIGHT - failed} width={BAR} height={failed} className="hf-chart-failed" />
              <rect x={x} y={HEIGHT - failed - undone} width={BAR} height={undone} fill="url(#hf-stripes)" />
              <rect
                x={x}
                y={HEIGHT - failed - undone - applied}
                width={BAR}
                height={applied}
                className="hf-chart-applied"
              />
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span className="hf-key hf-key-applied">APPLIED {totals.applied}</span>
        <span className="hf-key hf-key-undone">ROLLED_BACK {totals.undone}</span>
        <span className="hf-key hf-key-failed">FAILED {totals.failed}</span>
        <span className="hf-quiet">{t("chart.range")}</span>
      </figcaption>
    </figure>
  );
}
