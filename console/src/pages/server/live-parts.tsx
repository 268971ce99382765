import { Label } from "@patternfly/react-core";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import type { Difference, Provenance } from "../../live/at-item.ts";
import { DocumentLink } from "../../parts/document-link.tsx";
import { TableHead } from "../../ui/table-head.tsx";

/** What every live view of a domain is given. */
export interface LiveProps<Config, Seen> {
  readonly desired: Config | null;
  readonly seen: Seen;
  readonly differences: readonly Difference[];
  readonly provenance: readonly Provenance[];
}

/** Where an item is written; a dash where nobody says anything of it. */
export function Origins({ origins }: { readonly origins: readonly (Provenance | undefined)[] }): ReactNode {
  const known = origins.filter((origin) => origin !== undefined);
  if (known.length === 0) return <span className="hf-quiet">—</span>;
  return (
    <span className="hf-origins">
      {known.map(({ item, from }) => (
        <DocumentLink key={item} document={from.document} line={from.line} />
      ))}
    </span>
  );
}

/** Drift at the very item: what was confirmed and what is there. */
export function Differences({ differences }: { readonly differences: readonly Difference[] }): ReactNode {
  const t = useT();
  return differences.map(({ path, expected, found }) => (
    <div key={`${path} ${expected} ${found}`} className="hf-difference">
      <ExclamationTriangleIcon className="hf-difference-mark" aria-label={t("status.drift")} />
      <code>{path}</code>
      <span>{t("live.expected", { expected })}</span>
      <strong>{t("live.found", { found })}</strong>
    </div>
  ));
}

/** Shown, never touched. */
export function NotOurs(): ReactNode {
  const t = useT();
  return (
    <Label isCompact variant="outline" color="grey" icon={<LockIcon />}>
      {t("live.notOurs")}
    </Label>
  );
}

export interface Setting {
  readonly key: string;
  readonly name: ReactNode;
  readonly now: ReactNode;
  readonly should: ReactNode;
  readonly origins: readonly (Provenance | undefined)[];
  readonly differences: readonly Difference[];
}

/** Live beside desired, one setting a line. */
export function SettingTable({
  caption,
  settings,
}: {
  readonly caption: string;
  readonly settings: readonly Setting[];
}): ReactNode {
  const t = useT();
  return (
    <table className="hf-table hf-settings">
      <caption className="hf-sr">{caption}</caption>
      <TableHead columns={["live.setting", "live.now", "live.should", "config.from"]} />
      <tbody>
        {settings.map(({ key, name, now, should, origins, differences }) => (
          <tr key={key} data-drift={differences.length > 0}>
            <td data-label={t("live.setting")}>{name}</td>
            <td data-label={t("live.now")}>{now}</td>
            <td data-label={t("live.should")}>
              {should ?? <span className="hf-quiet">{t("live.notOurs")}</span>}
              <Differences differences={differences} />
            </td>
            <td data-label={t("config.from")}>
              <Origins origins={origins} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
