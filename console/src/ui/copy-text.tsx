import { Button, Tooltip } from "@patternfly/react-core";
import CheckIcon from "@patternfly/react-icons/dist/esm/icons/check-icon";
import CopyIcon from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import { type ReactNode, useEffect, useState } from "react";
import { useT } from "../i18n/language.ts";

/** How long "copied" is shown. */
const SHOWN_MS = 1500;

/** Text to be quoted elsewhere: an id, a fingerprint, a command. */
export function CopyText({
  text,
  shown = text,
  block = false,
}: {
  readonly text: string;
  readonly shown?: string;
  readonly block?: boolean;
}): ReactNode {
  const t = useT();
  const [result, setResult] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (result === null) return undefined;
    const timer = window.setTimeout(() => setResult(null), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [result]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setResult("copied"),
      () => setResult("failed"),
    );
  };
  const words = result === "copied" ? t("copy.done") : result === "failed" ? t("copy.failed") : t("copy.do");
  return (
    <span className={block ? "hf-copy hf-copy-block" : "hf-copy"}>
      <code>{shown}</code>
      <Tooltip content={words} aria="none">
        <Button
          variant="plain"
          size="sm"
          hasNoPadding
          icon={result === "copied" ? <CheckIcon /> : <CopyIcon />}
          aria-label={`${t("copy.do")} ${text}`}
          onClick={copy}
        />
      </Tooltip>
      <span className="hf-sr" role="status">
        {result === null ? "" : words}
      </span>
    </span>
  );
}
