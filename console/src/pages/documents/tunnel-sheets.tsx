import type { ReactNode } from "react";
import { sheetsOf } from "../../editor/tunnel-wizard.ts";
import { useT } from "../../i18n/language.ts";
import { Sheet } from "./sheet.tsx";

/** Of a tunnel that somebody else has an end of: their sheets, for as long as the tunnel is there. */
export function TunnelSheets({ name, text }: { readonly name: string; readonly text: string }): ReactNode {
  const t = useT();
  const sheets = sheetsOf(text);
  if (sheets.length === 0) return null;
  return (
    <section className="hf-sheets">
      <h2 className="hf-small-title">{t("document.sheets")}</h2>
      {sheets.map((sheet) => (
        <Sheet key={sheet.reader} tunnel={name} sheet={sheet} />
      ))}
    </section>
  );
}
