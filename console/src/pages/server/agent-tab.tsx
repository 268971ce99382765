import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { Label } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import TimesCircleIcon from "@patternfly/react-icons/dist/esm/icons/times-circle-icon";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { NativeText } from "../../parts/native-diff.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { TableHead } from "../../ui/table-head.tsx";

/** What this server can do, and who it says it is. */
export function AgentTab({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  return (
    <div className="hf-stack">
      <table className="hf-table">
        <caption className="hf-sr">{t("agent.capabilities")}</caption>
        <TableHead columns={["agent.domain", "agent.available", "agent.module", "agent.reason"]} />
        <tbody>
          {server.capabilities.map(({ domain, available, module, reason }) => (
            <tr key={domain}>
              <td data-label={t("agent.domain")}>{domain}</td>
              <td data-label={t("agent.available")}>
                <Label
                  isCompact
                  color={available ? "green" : "grey"}
                  icon={available ? <CheckCircleIcon /> : <TimesCircleIcon />}
                >
                  {available ? t("agent.yes") : t("agent.no")}
                </Label>
              </td>
              <td data-label={t("agent.module")}>{module === "" ? "—" : module}</td>
              <td data-label={t("agent.reason")}>{reason === "" ? "—" : reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {server.capabilities.length === 0 ? <p className="hf-quiet">{t("agent.none")}</p> : null}
      <div>
        {t("agent.bootId")} {server.bootId === null ? "—" : <CopyText text={server.bootId} />}
      </div>
      <h2 className="hf-small-title">{t("agent.facts")}</h2>
      <NativeText text={JSON.stringify(server.facts, null, 2)} label={t("agent.facts")} />
    </div>
  );
}
