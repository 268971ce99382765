import type { DomainName } from "@holdfast/core/domain.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Where a permission, a role or a token holds. */
export type Scope = Record<string, string | true>;

/** `--on role=web --on site=seoul`: every label must match. None: every server. */
export function readScope(words: readonly string[]): Scope {
  if (words.length === 0) return { all: true };
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

export function domainsOf(domains: readonly DomainName[]): readonly DomainName[] | null {
  return domains.length === 0 ? null : domains;
}

export function placeText(place: { readonly scope: Scope; readonly domains: readonly string[] | null }): string {
  const labels =
    place.scope["all"] === true
      ? "everywhere"
      : Object.entries(place.scope)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(",");
  return place.domains === null ? labels : `${labels} (${place.domains.join(", ")})`;
}
