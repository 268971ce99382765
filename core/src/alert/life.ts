import type { Condition } from "./detect.ts";
import type { AlertKind } from "./kind.ts";

/** An alert that is not resolved, as it stands. */
export interface StandingAlert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly subject: string;
  readonly message: string;
}

export interface AlertSteps {
  readonly open: readonly Condition[];
  /** The same trouble in other words: the numbers in it have moved. */
  readonly reword: readonly { readonly id: string; readonly message: string }[];
  readonly resolve: readonly string[];
}

/**
 * What has to be written so that what stands is what was found (W1, W2). The same look twice writes nothing the second time. What is not known
 * is not resolved: not to have looked is no news.
 */
export function alertSteps(
  standing: readonly StandingAlert[],
  found: readonly Condition[],
  isNotKnown: (alert: StandingAlert) => boolean,
): AlertSteps {
  const keyOf = ({ kind, subject }: { readonly kind: AlertKind; readonly subject: string }) => `${kind} ${subject}`;
  const now = new Map(found.map((condition) => [keyOf(condition), condition]));
  const known = new Set(standing.map(keyOf));
  return {
    open: [...now.values()].filter((condition) => !known.has(keyOf(condition))),
    reword: standing.flatMap((alert) => {
      const condition = now.get(keyOf(alert));
      return condition === undefined || condition.message === alert.message
        ? []
        : [{ id: alert.id, message: condition.message }];
    }),
    resolve: standing.filter((alert) => !now.has(keyOf(alert)) && !isNotKnown(alert)).map(({ id }) => id),
  };
}
