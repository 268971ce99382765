import type { NetworkConfig } from "@holdfast/domains/network/model.ts";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { roleOfRoute } from "../../live/link-rows.ts";
import type { NetworkSeen, RouteSeen } from "../../live/observed.ts";
import { TableHead } from "../../ui/table-head.tsx";

/** Numbers of rt_protos: who made a route. */
const MAKERS: Readonly<Record<number, MessageKey>> = {
  2: "net.by.kernel",
  3: "net.by.hand",
  4: "net.by.file",
  9: "net.by.router",
  16: "net.by.dhcp",
};
/** The kernel's own, one for each address: nobody reads them. */
const LOCAL_TABLE = 255;
const MAIN_TABLE = 254;

export function Routes({
  seen,
  desired,
}: {
  readonly seen: NetworkSeen;
  readonly desired: NetworkConfig | null;
}): ReactNode {
  const t = useT();
  const routes = seen.routes.filter((route) => route.table !== LOCAL_TABLE);
  const ways = (route: RouteSeen): ReactNode =>
    route.hops.length === 0
      ? route.kind
      : route.hops.map((hop, index) => (
          <div key={index}>
            {hop.via === null ? "" : `${hop.via} `}
            <span className="hf-quiet">{hop.dev ?? ""}</span>
          </div>
        ));
  return (
    <section>
      <h2 className="hf-small-title">{t("net.routes")}</h2>
      {routes.length === 0 ? <p className="hf-quiet">{t("net.routes.none")}</p> : null}
      <table className="hf-table">
        <caption className="hf-sr">{t("net.routes")}</caption>
        <TableHead
          columns={[
            "net.to",
            "net.via",
            { number: "net.table" },
            { number: "net.metric" },
            "net.madeBy",
            "net.wantedBy",
          ]}
        />
        <tbody>
          {routes.map((route, index) => {
            const maker = MAKERS[route.protocol];
            const role = roleOfRoute(desired, { to: route.to, table: route.table, via: route.hops[0]?.via ?? null });
            return (
              <tr key={index}>
                <td data-label={t("net.to")} className="hf-number">
                  {/^(0\.0\.0\.0|::)\/0$/.test(route.to) ? `${t("net.default")} (${route.to})` : route.to}
                </td>
                <td data-label={t("net.via")} className="hf-number">
                  {ways(route)}
                </td>
                <td data-label={t("net.table")} className="hf-right hf-number">
                  {route.table === MAIN_TABLE ? "main" : route.table}
                </td>
                <td data-label={t("net.metric")} className="hf-right hf-number">
                  {route.metric}
                </td>
                <td data-label={t("net.madeBy")}>
                  {maker === undefined ? t("net.by.other", { number: route.protocol }) : t(maker)}
                </td>
                <td data-label={t("net.wantedBy")}>{role ?? <span className="hf-quiet">—</span>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The kernel's own three for each family say nothing. */
const KERNEL_RULES: ReadonlySet<number> = new Set([0, 32_766, 32_767]);

export function Rules({ seen }: { readonly seen: NetworkSeen }): ReactNode {
  const t = useT();
  const rules = seen.rules.filter((rule) => !KERNEL_RULES.has(rule.priority));
  if (rules.length === 0) return null;
  return (
    <section>
      <h2 className="hf-small-title">{t("net.rules")}</h2>
      <table className="hf-table">
        <caption className="hf-sr">{t("net.rules")}</caption>
        <TableHead columns={[{ number: "net.priority" }, "net.matches", { number: "net.table" }]} />
        <tbody>
          {rules.map((rule, index) => (
            <tr key={index}>
              <td data-label={t("net.priority")} className="hf-right hf-number">
                {rule.priority}
              </td>
              <td data-label={t("net.matches")}>
                <code>
                  {[
                    rule.from === null ? null : `from ${rule.from}`,
                    rule.to === null ? null : `to ${rule.to}`,
                    rule.mark === null
                      ? null
                      : `mark 0x${rule.mark.value.toString(16)}/0x${rule.mark.mask.toString(16)}`,
                    rule.in === null ? null : `in ${rule.in}`,
                  ]
                    .filter((part) => part !== null)
                    .join(" ") || `IPv${rule.family}`}
                </code>
              </td>
              <td data-label={t("net.table")} className="hf-right hf-number">
                {rule.table ?? "—"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Neighbours({ seen: { neighbours } }: { readonly seen: NetworkSeen }): ReactNode {
  const t = useT();
  return (
    <details>
      <summary>{t("net.neighbours", { count: neighbours.length })}</summary>
      <table className="hf-table">
        <caption className="hf-sr">{t("net.neighbours", { count: neighbours.length })}</caption>
        <TableHead columns={["net.address", "net.hardware", "net.interface", "net.state"]} />
        <tbody>
          {neighbours.map(({ address, mac, link, state }) => (
            <tr key={`${link} ${address}`}>
              <td data-label={t("net.address")} className="hf-number">
                {address}
              </td>
              <td data-label={t("net.hardware")}>
                <code>{mac ?? "—"}</code>
              </td>
              <td data-label={t("net.interface")}>{link}</td>
              <td data-label={t("net.state")}>{state}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

export function ForeignFiles({ seen: { foreign } }: { readonly seen: NetworkSeen }): ReactNode {
  const t = useT();
  if (foreign.length === 0) return null;
  return (
    <details>
      <summary>{t("net.files", { count: foreign.length })}</summary>
      <ul className="hf-plain-list">
        {foreign.map(({ path }) => (
          <li key={path}>
            <code>{path}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
