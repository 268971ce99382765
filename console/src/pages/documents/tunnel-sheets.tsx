import type { Secret } from "@holdfast/core/api/secret.ts";
import { isSecretOfEnd, tunnelOfSecret } from "@holdfast/core/secret/secret-file.ts";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import type { PendingEdit } from "../../editor/pending.ts";
import { sheetsOf } from "../../editor/tunnel-wizard.ts";
import { useT } from "../../i18n/language.ts";
import { Sheet } from "./sheet.tsx";
import { TunnelPeople } from "./tunnel-people.tsx";

/** Of a tunnel that somebody else has an end of: their sheets, for as long as the tunnel is there. */
export function TunnelSheets({
  name,
  text,
  edit,
}: {
  readonly name: string;
  readonly text: string;
  /** What is pending of it, or would be. */
  readonly edit: PendingEdit;
}): ReactNode {
  const t = useT();
  const sheets = sheetsOf(text);
  const secrets = useQuery({ ...queries.secrets(), enabled: sheets.length > 0 });
  const people = <TunnelPeople edit={edit} />;
  if (sheets.length === 0) return people;
  return (
    <section className="hf-sheets">
      {people}
      <h2 className="hf-small-title">{t("document.sheets")}</h2>
      {sheets.map((sheet) => (
        <Sheet key={sheet.reader} tunnel={name} sheet={sheet} authorities={authoritiesOf(name, secrets.data ?? [])} />
      ))}
    </section>
  );
}

/** Those that have issued the newest certificates of our ends. */
function authoritiesOf(tunnel: string, secrets: readonly Pick<Secret, "name" | "versions">[]): readonly string[] {
  const own = secrets.filter(({ name }) => isSecretOfEnd(name) && tunnelOfSecret(name) === tunnel);
  return [...new Set(own.flatMap(({ versions }) => versions.at(-1)?.certificate?.authorityPem ?? []))];
}
