/**
 * Step-up: whoever makes a server move, or approves that it may, has shown a second factor a short time ago. The floor asks for it. Pure.
 *   U1. Of several floors the shortest time holds, and a token is refused where one of them refuses tokens.
 *   U2. A token never counts as fresh: that somebody has it shows nothing of a person who is there.
 */

export interface StepUpSettings {
  readonly withinSeconds: number;
  /** API tokens, of people and of services. */
  readonly tokens: "refused" | "allowed";
}

/** What all of them together ask for; null: nobody asks. */
export function strictestStepUp(asked: readonly (StepUpSettings | null | undefined)[]): StepUpSettings | null {
  const said = asked.filter((one) => one !== null && one !== undefined);
  if (said.length === 0) return null;
  return {
    withinSeconds: Math.min(...said.map((one) => one.withinSeconds)),
    tokens: said.some((one) => one.tokens === "refused") ? "refused" : "allowed",
  };
}

/** How a request comes, as far as it matters here. */
export interface ShownLately {
  readonly isToken: boolean;
  /** Seconds since a second factor was shown in this session; null: never. */
  readonly freshSeconds: number | null;
}

/** What stands in the way; null: nothing. */
export function whyNotFresh(
  asked: StepUpSettings | null,
  { isToken, freshSeconds }: ShownLately,
): "token" | "stale" | null {
  if (asked === null) return null;
  if (isToken) return asked.tokens === "refused" ? "token" : null; // U2
  return freshSeconds !== null && freshSeconds <= asked.withinSeconds ? null : "stale";
}
