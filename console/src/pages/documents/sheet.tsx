import { tunnelSheetText } from "@holdfast/core/policy/tunnel-sheet.ts";
import type { ReactNode } from "react";
import type { HandedSheet } from "../../editor/tunnel-wizard.ts";
import { useT } from "../../i18n/language.ts";
import { CopyText } from "../../ui/copy-text.tsx";

interface SheetProps {
  readonly tunnel: string;
  readonly sheet: HandedSheet;
  /** In PEM: whom that end has to believe. */
  readonly authorities?: readonly string[];
}

/** What somebody must set at their own end, to be handed over: the key is never among it. */
export function Sheet({ tunnel, sheet, authorities = [] }: SheetProps): ReactNode {
  const t = useT();
  return (
    <details>
      <summary>
        {sheet.to === "person" ? t("invite.sheet", { person: sheet.reader }) : t("wizard.sheet", { end: sheet.end })}
      </summary>
      <CopyText text={tunnelSheetText(tunnel, sheet, authorities)} shown={t("wizard.sheet.copy")} />
      <dl className="hf-ends">
        {sheet.rows.map(([setting, value]) => (
          <div key={setting}>
            <dt>{setting}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {authorities.map((pem) => (
        <CopyText key={pem} text={pem} shown={t("wizard.sheet.authority")} />
      ))}
    </details>
  );
}
