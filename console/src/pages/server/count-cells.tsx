import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { useAmounts } from "../../ui/amount.ts";

/** Packets and bytes of a counter, one cell each; what is not told is no zero. */
export function CountCells({ count }: { readonly count: { packets: number; bytes: number } | undefined }): ReactNode {
  const t = useT();
  const amounts = useAmounts();
  return (
    <>
      <td data-label={t("rule.packets")} className="hf-right hf-number">
        {count === undefined ? "—" : amounts.count(count.packets)}
      </td>
      <td data-label={t("rule.bytes")} className="hf-right hf-number">
        {count === undefined ? "—" : amounts.bytes(count.bytes)}
      </td>
    </>
  );
}
