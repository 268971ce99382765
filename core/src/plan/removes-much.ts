import type { Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import type { DomainName } from "../domain.ts";

/**
 * A small edit and a massive removal: a reference that has lost its end, a selector with one letter less or a file that was cut off all look
 * like an ordinary change, and take away most of what a server has. Whoever means it says so.
 */
export const REMOVES_MUCH = "plan.removes_much";

/** Settings. Fewer are seen at a glance in the diff; with much more, a small server could lose nearly everything without a word. */
const LEAST_GONE = 20;
/** Of what is in force. Below it a change takes away a large part and leaves a larger one, which is daily work. */
const MOST_LEFT = 1 / 2;

/**
 * Compares the configs of one domain, as canonical JSON. A domain that leaves whole is no case of this: that is told where the policy is
 * that leaves (`plan.leaves`).
 */
export function removesMuch(domain: DomainName, confirmedJson: string, configJson: string): readonly Finding[] {
  if (confirmedJson === "null" || configJson === "null") return [];
  // Texts are compared before anything is counted: a config of ten thousand rules that loses one is no work.
  if (configJson.length > confirmedJson.length * MOST_LEFT) return [];
  const inForce = settingsIn(JSON.parse(confirmedJson) as Json);
  const left = settingsIn(JSON.parse(configJson) as Json);
  if (inForce - left < LEAST_GONE || left > inForce * MOST_LEFT) return [];
  return [
    {
      severity: "danger",
      code: REMOVES_MUCH,
      path: domain,
      message: `Of ${inForce} values that make up the ${domain} settings in force on this server, ${left} are left.`,
      remedy:
        "See in the diff that all of it is meant to go. A selector, a reference or a file that has lost a part looks the same.",
    },
  ];
}

/** Every text, number and switch of a config. */
function settingsIn(value: Json): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value as Readonly<Record<string, Json>>).reduce<number>((sum, one) => sum + settingsIn(one), 0);
}
