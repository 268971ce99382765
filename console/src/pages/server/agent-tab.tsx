import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { Label } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import TimesCircleIcon from "@patternfly/react-icons/dist/esm/icons/times-circle-icon";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { NativeText } from "../../parts/native-diff.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";

/** What this server can do, and who it says it is. */
export function AgentTab({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  return (
    <div className="hf-stack">
      <table className="hf-table">
        <caption className="hf-sr">{t("agent.capabilities")}</caption>
        <TableHead columns={["agent.domain", "agent.available", "agent.module", "agent.lacks"]} />
        <tbody>
          {server.capabilities.map(({ domain, available, module, reason, lacks }) => (
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
              <td data-label={t("agent.lacks")}>
                <Lacks reason={reason} lacks={lacks} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {server.capabilities.length === 0 ? <p className="hf-quiet">{t("agent.none")}</p> : null}
      {server.lacksAt === null ? null : (
        <p className="hf-quiet">
          {t("agent.lacksAt")} <TimeText at={server.lacksAt} />
        </p>
      )}
      <div>
        {t("agent.bootId")} {server.bootId === null ? "—" : <CopyText text={server.bootId} />}
      </div>
      <h2 className="hf-small-title">{t("agent.facts")}</h2>
      <NativeText text={JSON.stringify(server.facts, null, 2)} label={t("agent.facts")} />
    </div>
  );
}

/** What does not work there, why, and what to do: a plan that needs it is refused. */
function Lacks({ reason, lacks }: Pick<ServerDetail["capabilities"][number], "reason" | "lacks">): ReactNode {
  const t = useT();
  if (lacks === null) return <>{reason === "" ? t("agent.lacksUnknown") : reason}</>;
  if (lacks.length === 0) return <>{reason === "" ? t("agent.lacksNothing") : reason}</>;
  return (
    <ul className="hf-plain-list">
      {lacks.map(({ feature, code, reason: why, remedy }) => (
        <li key={`${feature} ${code}`}>
          {feature === "" ? null : (
            <>
              <code>{feature}</code>:{" "}
            </>
          )}
          {why} <span className="hf-quiet">{remedy}</span>
        </li>
      ))}
    </ul>
  );
}
