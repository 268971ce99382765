import { Progress, ProgressMeasureLocation, ProgressSize, ProgressVariant } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { secondsLeft } from "../api/server-clock.ts";
import { useT } from "../i18n/language.ts";
import { useNowMs } from "../ui/now.ts";

/** Below this many seconds the countdown is shown as urgent. */
const URGENT_SECONDS = 10;

/** "12 s" in a table cell. */
export function CountdownText({ deadlineAt }: { readonly deadlineAt: string }): ReactNode {
  const t = useT();
  const left = secondsLeft(deadlineAt, useNowMs(250));
  return (
    <span className="hf-nowrap hf-number">
      {left === 0 ? t("countdown.over") : t("countdown.short", { seconds: left })}
    </span>
  );
}

/** The time until the server undoes by itself, as a bar for everybody who watches. */
export function CountdownBar({
  deadlineAt,
  startedAt,
}: {
  readonly deadlineAt: string;
  readonly startedAt: string | null;
}): ReactNode {
  const t = useT();
  const now = useNowMs(250);
  const left = secondsLeft(deadlineAt, now);
  const whole = startedAt === null ? left : Math.max(1, (Date.parse(deadlineAt) - Date.parse(startedAt)) / 1000);
  const words = left === 0 ? t("countdown.undoing") : t("countdown.undoesIn", { seconds: left });
  return (
    <div className="hf-countdown" data-urgent={left <= URGENT_SECONDS}>
      <Progress
        aria-label={t("countdown.label")}
        value={Math.min(100, (left / whole) * 100)}
        valueText={words}
        size={ProgressSize.sm}
        measureLocation={ProgressMeasureLocation.none}
        {...(left <= URGENT_SECONDS ? { variant: ProgressVariant.warning } : {})}
      />
      {/* A screen reader hears it once, and again when it gets urgent; not every second. */}
      <span className="hf-countdown-text hf-number">{words}</span>
      <span className="hf-sr" role="status">
        {left <= URGENT_SECONDS ? t("countdown.urgent") : t("countdown.running")}
      </span>
    </div>
  );
}
