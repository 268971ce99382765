import type { ReactNode } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";

/** Words; above numbers, which stand to the right; or read aloud only, where what is below is plain to see. Null: not in this table. */
export type Column = MessageKey | { readonly number: MessageKey } | { readonly hidden: MessageKey } | null;

export function TableHead({ columns }: { readonly columns: readonly Column[] }): ReactNode {
  const t = useT();
  return (
    <thead>
      <tr>
        {columns.map((column, index) => {
          if (column === null) return null;
          if (typeof column === "string")
            return (
              <th key={index} scope="col">
                {t(column)}
              </th>
            );
          return "number" in column ? (
            <th key={index} scope="col" className="hf-right">
              {t(column.number)}
            </th>
          ) : (
            <th key={index} scope="col">
              <span className="hf-sr">{t(column.hidden)}</span>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
