import type { Permission } from "@holdfast/core/api/account.ts";
import { useQuery } from "@tanstack/react-query";
import { useT } from "../i18n/language.ts";
import { queries } from "./queries.ts";

/** Why this person may not, or null: a disabled button says it. The server's answer is the law; this is courtesy. */
export function useDenied(): (permission: Permission) => string | null {
  const t = useT();
  const { data: me } = useQuery(queries.me());
  return (permission) =>
    me === undefined || me.permissions.includes(permission) ? null : t("denied.permission", { permission });
}
