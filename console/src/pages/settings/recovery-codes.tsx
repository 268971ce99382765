import { Alert, Button } from "@patternfly/react-core";
import { type ReactNode, useState } from "react";
import { useT } from "../../i18n/language.ts";
import { saveFile } from "../../ui/save-file.ts";

const FILE_NAME = "holdfast-recovery-codes.txt";

/** Shown once. Copied as a whole, or kept as a file. */
export function RecoveryCodes({
  user,
  codes,
}: {
  readonly user: string;
  readonly codes: readonly string[];
}): ReactNode {
  const t = useT();
  const [said, setSaid] = useState<"copied" | "failed" | "saved" | null>(null);
  const text = codes.join("\n");
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setSaid("copied"),
      () => setSaid("failed"),
    );
  };
  const save = (): void => {
    saveFile(FILE_NAME, `Holdfast, ${user}\n\n${text}\n`, "text/plain");
    setSaid("saved");
  };
  return (
    <div className="hf-stack">
      <Alert component="p" isInline variant="warning" title={t("recovery.once")}>
        <p>{t("recovery.why")}</p>
      </Alert>
      <ol className="hf-codes" aria-label={t("recovery.title")}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="hf-actions">
        <Button variant="secondary" size="sm" onClick={copy}>
          {t("recovery.copy")}
        </Button>
        <Button variant="secondary" size="sm" onClick={save}>
          {t("recovery.save")}
        </Button>
        <span role="status" className="hf-quiet">
          {said === null
            ? ""
            : t(said === "copied" ? "copy.done" : said === "failed" ? "copy.failed" : "recovery.saved")}
        </span>
      </div>
    </div>
  );
}
