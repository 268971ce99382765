import type { Result } from "@holdfast/core/base/result.ts";
import type { Outline } from "@holdfast/core/policy/schema-outline.ts";
import { Alert } from "@patternfly/react-core";
import { type ReactNode, useState } from "react";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";

/** What every part of a form is given. */
export interface Hands {
  readonly text: string;
  readonly schema: Outline;
  readonly findings: readonly FindingLike[];
  readonly onGo: (finding: FindingLike) => void;
  readonly disabled: boolean;
  /** False: it was refused, and the sentence is shown; what was typed must stay. */
  readonly edit: (edited: Result<string, string>) => boolean;
}

/** Why the last edit was refused. It stays in view: the field may be far below the head of a long form. */
export function Refusal({ sentence }: { readonly sentence: string | null }): ReactNode {
  const t = useT();
  return sentence === null ? null : (
    <Alert component="p" isInline isLiveRegion variant="danger" className="hf-refusal" title={t("rules.refused")}>
      {sentence}
    </Alert>
  );
}

interface LineInputProps {
  /** For a label beside it; else it has one of its own. */
  readonly id?: string;
  readonly label?: string;
  readonly shown: string;
  /** Seen where nothing is typed. */
  readonly example?: string | null;
  readonly disabled: boolean;
  /** Whether it went: what is refused stays typed. */
  readonly onCommit: (text: string) => boolean;
}

/** Written to the document when left or on Enter, and marked while it was refused; Escape puts back what was there. */
export function LineInput({ id, label, shown, example = null, disabled, onCommit }: LineInputProps): ReactNode {
  const t = useT();
  const [typed, setTyped] = useState<string | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const commit = (): void => {
    if (typed === null || typed === shown || onCommit(typed)) setTyped(null);
    else setRefused(typed);
  };
  return (
    <input
      id={id}
      className="hf-cell"
      aria-label={label}
      aria-invalid={typed !== null && typed === refused}
      value={typed ?? shown}
      placeholder={example === null ? undefined : t("form.example", { example })}
      disabled={disabled}
      spellCheck={false}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") setTyped(null);
      }}
    />
  );
}
