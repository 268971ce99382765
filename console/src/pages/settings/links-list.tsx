import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { useT } from "../../i18n/language.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { TimeText } from "../../ui/time-text.tsx";

export type Link = Answer<"listUserIdentities">["items"][number];

interface Props {
  readonly links: readonly Link[];
  /** What is offered beside each. */
  readonly act?: (link: Link) => ReactNode;
}

/** Who at the provider signs in to an account. The issuer is shown whole: another one with a similar name is another party. */
export function LinksList({ links, act }: Props): ReactNode {
  const t = useT();
  return (
    <ul className="hf-stack" aria-label={t("links.title")}>
      {links.map((link) => (
        <li key={link.id} className="hf-line-row">
          <span>
            <CopyText text={link.subject} />{" "}
            <span className="hf-quiet">
              {t("links.at", { issuer: link.issuer })} · {t("links.since")} <TimeText at={link.linkedAt} />
            </span>
          </span>
          {act === undefined ? null : <span className="hf-actions">{act(link)}</span>}
        </li>
      ))}
    </ul>
  );
}
