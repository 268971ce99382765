import { tunnelSheetText } from "@holdfast/core/policy/tunnel-sheet.ts";
import type { ReactNode } from "react";
import type { HandedSheet } from "../../editor/tunnel-wizard.ts";
import { useT } from "../../i18n/language.ts";
import { CopyText } from "../../ui/copy-text.tsx";

/** What somebody must set at their own end, to be handed over: the key is never among it. */
export function Sheet({ tunnel, sheet }: { readonly tunnel: string; readonly sheet: HandedSheet }): ReactNode {
  const t = useT();
  return (
    <details>
      <summary>
        {sheet.to === "person" ? t("invite.sheet", { person: sheet.reader }) : t("wizard.sheet", { end: sheet.end })}
      </summary>
      <CopyText text={tunnelSheetText(tunnel, sheet)} shown={t("wizard.sheet.copy")} />
      <dl className="hf-ends">
        {sheet.rows.map(([setting, value]) => (
          <div key={setting}>
            <dt>{setting}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
