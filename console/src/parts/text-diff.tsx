import { type ReactNode, useMemo } from "react";
import { unifiedDiff } from "../editor/unified-diff.ts";
import { NativeDiff } from "./native-diff.tsx";

/** Two texts, line by line, with their surroundings. */
export function TextDiff({
  before,
  after,
  label,
}: {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}): ReactNode {
  const diff = useMemo(() => unifiedDiff(before, after), [before, after]);
  return <NativeDiff diff={diff} label={label} />;
}
