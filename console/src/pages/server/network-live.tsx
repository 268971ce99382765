import type { NetworkConfig } from "@holdfast/domains/network/model.ts";
import { Alert, Label } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { differencesAt, originOf, originsBelow } from "../../live/at-item.ts";
import { type AddressRow, addressRows, type LinkRow, linkRows } from "../../live/link-rows.ts";
import type { NetworkSeen } from "../../live/observed.ts";
import { useAmounts } from "../../ui/amount.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Differences, type LiveProps, NotOurs, Origins, type Setting, SettingTable } from "./live-parts.tsx";
import { ForeignFiles, Neighbours, Routes, Rules } from "./network-tables.tsx";

type Props = LiveProps<NetworkConfig, NetworkSeen>;

/** Interfaces, routes and neighbours as they are, each beside what it should be. */
export function NetworkLive(props: Props): ReactNode {
  const t = useT();
  const { desired, seen, differences } = props;
  const rows = linkRows(desired, seen);
  return (
    <>
      <Renderer seen={seen} />
      <Differences differences={differences.filter(({ path }) => !/^(interfaces|forwarding)\b/.test(path))} />
      <section>
        <h2 className="hf-small-title">{t("net.interfaces")}</h2>
        <table className="hf-table">
          <caption className="hf-sr">{t("net.interfaces")}</caption>
          <TableHead
            columns={[
              "net.interface",
              "net.state",
              "net.addresses",
              { number: "net.mtu" },
              { number: "net.received" },
              { number: "net.sent" },
              "config.from",
            ]}
          />
          <tbody>
            {rows.map((row) => (
              <LinkLine key={`${row.role ?? ""} ${row.name}`} row={row} {...props} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 ? <p className="hf-quiet">{t("net.interfaces.none")}</p> : null}
      </section>
      <section>
        <h2 className="hf-small-title">{t("net.server")}</h2>
        <SettingTable caption={t("net.server")} settings={serverSettings(props, t)} />
      </section>
      <Routes seen={seen} desired={desired} />
      <Rules seen={seen} />
      <Neighbours seen={seen} />
      <ForeignFiles seen={seen} />
    </>
  );
}

function Renderer({ seen }: { readonly seen: NetworkSeen }): ReactNode {
  const t = useT();
  const { renderer, competing, unreadable } = seen;
  return (
    <>
      {unreadable === null ? null : (
        <Alert component="p" isInline variant="danger" title={t("net.unreadable", { what: unreadable })} />
      )}
      {renderer.state === "foreign" ? (
        <Alert component="p" isInline variant="warning" title={t("net.foreign", { name: renderer.name })}>
          <p>{renderer.why}</p>
        </Alert>
      ) : null}
      {renderer.state === "starting" ? <Alert component="p" isInline variant="info" title={t("net.starting")} /> : null}
      {competing.length === 0 ? null : (
        <Alert component="p" isInline variant="warning" title={t("net.competing")}>
          <ul className="hf-plain-list">
            {competing.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </Alert>
      )}
    </>
  );
}

function LinkLine({ row, differences, provenance }: Props & { readonly row: LinkRow }): ReactNode {
  const t = useT();
  const { bytes, count } = useAmounts();
  const { seen, role } = row;
  const own = role === null ? [] : differencesAt(differences, `interfaces.${role}`);
  const errors = (number: number): ReactNode =>
    number === 0 ? null : (
      <div className="hf-bad-text">{t("net.errors", { count: number, number: count(number) })}</div>
    );
  return (
    <tr data-drift={own.length > 0}>
      <td data-label={t("net.interface")}>
        <strong>{row.name}</strong>
        <div className="hf-quiet hf-small">
          {role === null || role === row.name ? null : <div>{t("net.role", { role })}</div>}
          {kindWords(row)}
        </div>
        {role === null ? <NotOurs /> : null}
      </td>
      <td data-label={t("net.state")}>
        <LinkState row={row} />
      </td>
      <td data-label={t("net.addresses")}>
        <ul className="hf-rows">
          {addressRows(row).map((one) => (
            <Address key={one.address} one={one} />
          ))}
        </ul>
        {seen !== null && seen.dns.length > 0 ? (
          <div className="hf-quiet hf-small">{t("net.dns", { servers: seen.dns.join(", ") })}</div>
        ) : null}
        <Differences differences={own} />
      </td>
      <td data-label={t("net.mtu")} className="hf-right hf-number">
        {seen?.mtu ?? "—"}
      </td>
      <td data-label={t("net.received")} className="hf-right hf-number">
        {seen === null ? "—" : bytes(seen.counters.rxBytes)}
        {errors(seen?.counters.rxErrors ?? 0)}
      </td>
      <td data-label={t("net.sent")} className="hf-right hf-number">
        {seen === null ? "—" : bytes(seen.counters.txBytes)}
        {errors(seen?.counters.txErrors ?? 0)}
      </td>
      <td data-label={t("config.from")}>
        <Origins origins={role === null ? [] : originsBelow(provenance, `network.interfaces.${role}`)} />
      </td>
    </tr>
  );
}

function kindWords({ seen, desired }: LinkRow): ReactNode {
  const kind = seen?.kind ?? desired?.device?.kind ?? null;
  const vlan = seen?.vlan ?? null;
  const master = seen?.master ?? null;
  const parts = [
    vlan === null ? kind : `vlan ${vlan.id}${vlan.parent === null ? "" : ` @ ${vlan.parent}`}`,
    seen?.mac ?? null,
    master === null ? null : `↳ ${master}`,
  ].filter((part) => part !== null);
  return <code>{parts.join(" · ")}</code>;
}

function LinkState({ row: { seen, desired } }: { readonly row: LinkRow }): ReactNode {
  const t = useT();
  if (seen === null)
    return (
      <Label isCompact color="red">
        {t("net.absent")}
      </Label>
    );
  const isWanted = desired === null || desired.enable;
  return (
    <>
      <Label
        isCompact
        color={seen.up && seen.carrier ? "green" : seen.up === isWanted && !isWanted ? "grey" : "yellow"}
      >
        {t(seen.up ? (seen.carrier ? "net.up" : "net.noCarrier") : "net.down")}
      </Label>
      <div className="hf-quiet hf-small">
        {[seen.operational, seen.setup].filter((word) => word !== "").join(" · ")}
      </div>
    </>
  );
}

const SOURCE_TEXT = {
  set: "net.source.set",
  learnt: "net.source.learnt",
  link: "net.source.link",
  missing: "net.source.missing",
} as const satisfies Record<AddressRow["source"], MessageKey>;

function Address({ one }: { readonly one: AddressRow }): ReactNode {
  const t = useT();
  const { duration } = useAmounts();
  return (
    <li>
      {one.source === "missing" ? <s>{one.address}</s> : <span className="hf-number">{one.address}</span>}{" "}
      <span className={one.source === "missing" || one.isExtra ? "hf-bad-text hf-small" : "hf-quiet hf-small"}>
        {one.isExtra ? t("net.source.extra") : t(SOURCE_TEXT[one.source])}
        {one.leaseSeconds === null ? "" : ` · ${t("net.lease", { time: duration(one.leaseSeconds) })}`}
      </span>
    </li>
  );
}

function serverSettings(
  { desired, seen, differences, provenance }: Props,
  t: ReturnType<typeof useT>,
): readonly Setting[] {
  const yesNo = (value: boolean | null | undefined): ReactNode =>
    value === null || value === undefined ? undefined : t(value ? "live.yes" : "live.no");
  return [
    ...(["ipv4", "ipv6"] as const).map((family) => ({
      key: family,
      name: t("net.forwarding", { family: family === "ipv4" ? "IPv4" : "IPv6" }),
      now: yesNo(seen.forwarding[family]) ?? t("live.unknown"),
      should: yesNo(desired?.forwarding[family]),
      origins: [originOf(provenance, `network.forwarding.${family}`)],
      differences: differencesAt(differences, `forwarding.${family}`),
    })),
    {
      key: "resolved",
      name: t("net.resolved"),
      now: yesNo(seen.resolved),
      should: undefined,
      origins: [],
      differences: [],
    },
  ];
}
