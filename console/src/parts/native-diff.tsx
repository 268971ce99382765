import type { ReactNode } from "react";
import { useT } from "../i18n/language.ts";

type LineKind = "add" | "remove" | "place" | "file" | "same";

export function lineKind(line: string): LineKind {
  if (line.startsWith("+++") || line.startsWith("---")) return "file";
  if (line.startsWith("@@")) return "place";
  if (line.startsWith("+")) return "add";
  if (line.startsWith("-")) return "remove";
  return "same";
}

/** A unified diff. The sign stays in the text: colour is never the only mark. */
export function NativeDiff({ diff, label }: { readonly diff: string; readonly label: string }): ReactNode {
  const t = useT();
  if (diff.trim() === "") return <p className="hf-quiet">{t("diff.same")}</p>;
  const lines = diff.replace(/\n$/, "").split("\n");
  return (
    // Scrolls by itself, so the keyboard must be able to reach it.
    <pre className="hf-diff" tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, index) => (
        <span key={index} className={`hf-diff-${lineKind(line)}`}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

export function NativeText({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  return (
    <pre className="hf-diff" tabIndex={0} role="region" aria-label={label}>
      {text}
    </pre>
  );
}
