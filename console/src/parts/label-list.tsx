import type { ReactNode } from "react";

/** The labels of a server, in one order. */
export function LabelList({ labels }: { readonly labels: Readonly<Record<string, string>> }): ReactNode {
  return (
    <span className="hf-labels">
      {Object.entries(labels)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => (
          <span key={key} className="hf-label-pair">
            {key}:{value}
          </span>
        ))}
    </span>
  );
}
