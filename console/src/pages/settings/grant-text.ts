import type { Permission } from "@holdfast/core/api/account.ts";
import { useLanguage, useT } from "../../i18n/language.ts";
import { type Given, isRole, labelsText, type PlaceOf } from "./grants.ts";

export interface GrantText {
  /** "on servers with role=web, in firewall only" */
  where(place: PlaceOf): string;
  /** "the permission apply", "the role operator" */
  what(given: Given): string;
  /** What one may do with these, in words. */
  allows(permissions: readonly Permission[]): string;
  list(words: readonly string[]): string;
}

/** What is given, in words of the reader's language. */
export function useGrantText(): GrantText {
  const t = useT();
  const language = useLanguage();
  const list = (words: readonly string[]): string =>
    new Intl.ListFormat(language, { type: "conjunction" }).format([...words]);
  return {
    where({ scope, domains }) {
      const servers =
        scope["all"] === true ? t("grant.where.all") : t("grant.where.labels", { labels: labelsText(scope) });
      return domains === null ? servers : t("grant.where.domains", { servers, domains: list(domains) });
    },
    what: (given) =>
      isRole(given)
        ? t("grant.what.role", { name: given.role })
        : t("grant.what.permission", { name: given.permission }),
    allows: (permissions) => permissions.map((permission) => t(`permission.${permission}`)).join(" · "),
    list,
  };
}
