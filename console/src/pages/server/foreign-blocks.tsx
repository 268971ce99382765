import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { useT } from "../../i18n/language.ts";
import { NativeText } from "../../parts/native-diff.tsx";

type Told = NonNullable<Answer<"getServerLive">["domains"][number]["foreign"]>;

/** What others have set in this domain's field, as it stands on the server: read, and never changed. */
export function ForeignBlocks({ foreign }: { readonly foreign: Told }): ReactNode {
  const t = useT();
  const { blocks, left, unreadable } = foreign;
  if (blocks.length + left + unreadable.length === 0) return null;
  return (
    <details>
      <summary>{t("live.foreign", { count: blocks.length })}</summary>
      <p className="hf-quiet">{t("live.foreignWhat")}</p>
      {blocks.map(({ source, title, text }, at) => {
        // Blocks have no name of their own, and stand in an order that counts.
        const key = `${at} ${source}`;
        const where = (
          <>
            <code>{source}</code> {title}
          </>
        );
        return text === null ? (
          <p key={key}>
            {where} · {t("live.foreignWithheld")}
          </p>
        ) : (
          <details key={key}>
            <summary>{where}</summary>
            <NativeText text={text} label={`${source} ${title}`} />
          </details>
        );
      })}
      {left === 0 ? null : <p className="hf-quiet">{t("live.foreignLeft", { count: left })}</p>}
      {unreadable.map((why) => (
        <p key={why}>{why}</p>
      ))}
    </details>
  );
}
