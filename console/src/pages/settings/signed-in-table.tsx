import { Label } from "@patternfly/react-core";
import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { useLanguage, useT } from "../../i18n/language.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { exactTime, TimeText } from "../../ui/time-text.tsx";

export type SignedIn = Answer<"listSessions">["items"][number];

interface Props {
  readonly caption: string;
  readonly items: readonly SignedIn[];
  readonly onEnd: (one: SignedIn) => void;
}

/** Sessions and tokens: from where, since when, until when; the one that asks is marked. */
export function SignedInTable({ caption, items, onEnd }: Props): ReactNode {
  const t = useT();
  const language = useLanguage();
  return (
    <table className="hf-table">
      <caption className="hf-sr">{caption}</caption>
      <TableHead
        columns={["signedIn.what", "signedIn.source", "signedIn.since", "tokens.used", "tokens.expires", "tokens.acts"]}
      />
      <tbody>
        {items.map((one) => (
          <tr key={one.id}>
            <td data-label={t("signedIn.what")}>
              {one.kind === "session" ? t("signedIn.session") : t("signedIn.token", { name: one.name })}{" "}
              {one.current ? (
                <Label isCompact color="green">
                  {t("signedIn.current")}
                </Label>
              ) : null}
            </td>
            <td data-label={t("signedIn.source")}>
              <code>{one.source}</code>
            </td>
            <td data-label={t("signedIn.since")}>
              <TimeText at={one.createdAt} />
            </td>
            <td data-label={t("tokens.used")}>
              {one.lastUsedAt === null ? t("never") : <TimeText at={one.lastUsedAt} />}
            </td>
            <td data-label={t("tokens.expires")}>
              {one.expiresAt === null ? t("never") : exactTime(one.expiresAt, language)}
            </td>
            <td data-label={t("tokens.acts")}>
              <ReasonButton
                size="sm"
                variant="link"
                isInline
                isDanger
                reason={one.current ? t("signedIn.isCurrent") : null}
                onClick={() => onEnd(one)}
              >
                {t("signedIn.end")}
              </ReasonButton>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
