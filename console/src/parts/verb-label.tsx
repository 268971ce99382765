import { Label, type LabelProps } from "@patternfly/react-core";
import type { ReactNode } from "react";

type Verb = "allow" | "reject" | "drop";

/** The word of the language itself, so that table and text say the same. */
const COLOR = { allow: "green", reject: "orange", drop: "red" } as const satisfies Record<
  Verb,
  NonNullable<LabelProps["color"]>
>;

export function VerbLabel({ verb }: { readonly verb: Verb }): ReactNode {
  return (
    <Label isCompact variant="outline" color={COLOR[verb]}>
      {verb}
    </Label>
  );
}
