import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";

/** Deeper than this it is a text: nobody reads a tree of such depth, and no answer may hang the page. */
const DEEPEST = 6;
/** Entries of one list or map that are shown; the rest is counted. */
const MOST_ENTRIES = 100;

/** Anything a module may report, readable: maps as terms, lists as lines, plain values as they are. Total: it shows whatever comes. */
export function GenericLive({ value }: { readonly value: unknown }): ReactNode {
  return <div className="hf-generic">{shown(value, 0)}</div>;
}

function shown(value: unknown, depth: number): ReactNode {
  if (value === null || value === undefined) return <span className="hf-quiet">—</span>;
  if (typeof value === "string") return value.includes("\n") ? <pre>{value}</pre> : value;
  if (typeof value !== "object") return <code>{JSON.stringify(value)}</code>;
  if (depth >= DEEPEST) return <code>{JSON.stringify(value)}</code>;
  const entries = Array.isArray(value)
    ? value.map((item: unknown, index): readonly [string, unknown] => [String(index + 1), item])
    : Object.entries(value);
  if (entries.length === 0) return <span className="hf-quiet">—</span>;
  return (
    <dl>
      {entries.slice(0, MOST_ENTRIES).map(([key, item]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{shown(item, depth + 1)}</dd>
        </div>
      ))}
      {entries.length > MOST_ENTRIES ? <More count={entries.length - MOST_ENTRIES} /> : null}
    </dl>
  );
}

function More({ count }: { readonly count: number }): ReactNode {
  const t = useT();
  return (
    <div>
      <dt className="hf-quiet">{t("live.moreEntries", { count })}</dt>
      <dd />
    </div>
  );
}
