import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** What is given to an account or a token, and where it holds: the words of every command that gives something. */
export const MAY = {
  kind: "enum",
  values: PERMISSIONS,
  brief: "A permission (repeat it for more)",
  variadic: true,
  default: [],
} as const;
export const ROLE = {
  kind: "parsed",
  parse: String,
  brief: "A role (repeat it for more)",
  variadic: true,
  default: [],
} as const;
export const ON = {
  kind: "parsed",
  parse: String,
  brief: "Only on servers with this label, key=value (repeat it: all must match)",
  variadic: true,
  default: [],
} as const;
export const DOMAIN = {
  kind: "enum",
  values: DOMAINS,
  brief: "Only this domain (repeat it for more)",
  variadic: true,
  default: [],
} as const;

export interface PlaceFlags {
  readonly on: readonly string[];
  readonly domain: readonly DomainName[];
}
export interface GrantFlags extends PlaceFlags {
  readonly role: readonly string[];
  readonly may: readonly Permission[];
}

/** Where a permission, a role or a token holds. Domains that are null are all of them. */
export interface Place {
  readonly scope: Record<string, string | true>;
  readonly domains: readonly DomainName[] | null;
}

/** `--on role=web --on site=seoul`: every label must match. None: every server. */
export function readPlace({ on, domain }: PlaceFlags): Place {
  return { scope: on.length === 0 ? { all: true } : readLabels(on), domains: domain.length === 0 ? null : domain };
}

function readLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word): [string, string] => {
      const at = word.indexOf("=");
      if (at < 1)
        throw new CliError(
          EXIT.usage,
          "cli.not_a_label",
          `${word} is no label.`,
          "Write --on key=value, or --on server=NAME.",
        );
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

/**
 * What is held, and `more`. On the same servers there is one grant of a kind, so domains add up there: whoever is given one thing more must
 * not lose another by it.
 */
export function withGrant<Grant extends Place>(
  held: readonly Grant[],
  more: Grant,
  what: (grant: Grant) => string,
): readonly Grant[] {
  const key = (grant: Grant): string => canonicalJson([what(grant), grant.scope]);
  const before = held.find((grant) => key(grant) === key(more));
  if (before === undefined) return [...held, more];
  const domains =
    before.domains === null || more.domains === null
      ? null
      : [...new Set([...before.domains, ...more.domains])].toSorted();
  return held.map((grant) => (grant === before ? { ...before, domains } : grant));
}

export function placeText({ scope, domains }: Place): string {
  const labels =
    scope["all"] === true
      ? "everywhere"
      : Object.entries(scope)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(",");
  return domains === null ? labels : `${labels} (${domains.join(", ")})`;
}
