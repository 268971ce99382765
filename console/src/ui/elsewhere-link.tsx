import ExternalLinkIcon from "@patternfly/react-icons/dist/esm/icons/external-link-alt-icon";
import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";

/** To somebody else's program, in a tab of its own, which learns neither this page's address nor has a hand on it. */
export function ElsewhereLink({ to, children }: { readonly to: string; readonly children: ReactNode }): ReactNode {
  const t = useT();
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children} <ExternalLinkIcon /> <span className="hf-sr">{t("link.newTab")}</span>
    </a>
  );
}
