import type { TunnelConfig, VpnConfig } from "@holdfast/domains/vpn/model.ts";
import { Alert, Label } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { differencesAt, originOf } from "../../live/at-item.ts";
import type { SaSeen, VpnSeen } from "../../live/observed.ts";
import { isTunnelUp, OURS } from "../../live/tunnel-obstacle.ts";
import { useAmounts } from "../../ui/amount.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Differences, type LiveProps, NotOurs, Origins } from "./live-parts.tsx";
import { TunnelActs } from "./tunnel-acts.tsx";
import { TunnelInterface } from "./tunnel-interface.tsx";
import { VpnPeople } from "./vpn-people.tsx";

interface Props extends LiveProps<VpnConfig, VpnSeen> {
  readonly server: string;
  /** A transaction is open on the server. */
  readonly isOpen: boolean;
}

/** Tunnels that end here: what they agreed on, what passes, and what is missing. */
export function VpnLive(props: Props): ReactNode {
  const t = useT();
  const { desired, seen, differences } = props;
  const { charon } = seen.ipsec;
  const tunnels = Object.entries(desired?.tunnels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sas = charon.state === "up" ? charon.sas : [];
  const foreign = charon.state === "up" ? charon.conns.filter(({ name }) => !name.startsWith(OURS)) : [];
  return (
    <>
      <Daemon seen={seen} />
      <Differences differences={differences.filter(({ path }) => !/^(?:tunnels|people)\./.test(path))} />
      <section>
        <h2 className="hf-small-title">{t("vpn.tunnels")}</h2>
        {tunnels.length === 0 ? <p className="hf-quiet">{t("vpn.tunnels.none")}</p> : null}
        {tunnels.map(([name, tunnel]) => (
          <Tunnel
            key={name}
            name={name}
            tunnel={tunnel}
            sas={sas.filter((sa) => sa.name === `${OURS}${name}`)}
            {...props}
          />
        ))}
      </section>
      <VpnPeople {...props} />
      {foreign.length === 0 ? null : (
        <section>
          <h2 className="hf-small-title">
            {t("vpn.foreign")} <NotOurs />
          </h2>
          <table className="hf-table">
            <caption className="hf-sr">{t("vpn.foreign")}</caption>
            <TableHead columns={["vpn.connection", "vpn.ends", "vpn.networks", "vpn.ike"]} />
            <tbody>
              {foreign.map((conn) => (
                <tr key={conn.name}>
                  <td data-label={t("vpn.connection")}>{conn.name}</td>
                  <td data-label={t("vpn.ends")}>
                    {conn.localAddresses.join(", ")} ⇄ {conn.remoteAddresses.join(", ")}
                  </td>
                  <td data-label={t("vpn.networks")}>
                    {conn.localNetworks.join(", ")} ⇄ {conn.remoteNetworks.join(", ")}
                  </td>
                  <td data-label={t("vpn.ike")}>
                    {sas
                      .filter((sa) => sa.name === conn.name)
                      .map(({ state }) => state)
                      .join(", ") || t("vpn.down")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

const PLANE_TEXT = {
  kernel: "vpn.plane.kernel",
  libipsec: "vpn.plane.libipsec",
  none: "vpn.plane.none",
} as const satisfies Record<"kernel" | "libipsec" | "none", MessageKey>;

function Daemon({ seen }: { readonly seen: VpnSeen }): ReactNode {
  const t = useT();
  const { charon, keyFiles } = seen.ipsec;
  const badKeys = Object.entries(keyFiles).filter(([, problem]) => problem !== null);
  return (
    <>
      {charon.state === "down" ? (
        <Alert component="p" isInline variant="warning" title={t("vpn.charonDown")}>
          <p>{charon.why}</p>
        </Alert>
      ) : (
        <p>
          {t("vpn.charonUp", { version: charon.version })} {t(PLANE_TEXT[charon.dataPlane])}{" "}
          {seen.forwarding ? "" : t("vpn.noForwarding")}
        </p>
      )}
      {seen.lookupLost.length === 0 ? null : (
        <Alert component="p" isInline variant="warning" title={t("vpn.lookupLost")}>
          <p>{t("vpn.lookupLostWhy")}</p>
        </Alert>
      )}
      {seen.recordProblem === null ? null : (
        <Alert component="p" isInline variant="danger" title={t("vpn.recordProblem", { why: seen.recordProblem })} />
      )}
      {badKeys.length === 0 ? null : (
        <Alert component="p" isInline variant="danger" title={t("vpn.badKeys")}>
          <ul className="hf-plain-list">
            {badKeys.map(([name, problem]) => (
              <li key={name}>
                <code>{name}</code>: {problem}
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </>
  );
}

interface TunnelProps extends Props {
  readonly name: string;
  readonly tunnel: TunnelConfig;
  readonly sas: readonly SaSeen[];
}

function Tunnel({ name, tunnel, sas, seen, differences, provenance, server, isOpen }: TunnelProps): ReactNode {
  const t = useT();
  const { bytes, duration } = useAmounts();
  const own = differencesAt(differences, `tunnels.${name}`);
  const isUp = isTunnelUp(sas);
  const { local, remote } = tunnel;
  const noKey = !Object.hasOwn(seen.ipsec.keyFiles, tunnel.keyFile);
  return (
    <article className="hf-tunnel" data-drift={own.length > 0}>
      <header className="hf-line-row">
        <h3>{name}</h3>
        <Label isCompact color={isUp ? "green" : "red"}>
          {t(isUp ? "vpn.up" : "vpn.down")}
        </Label>
        <span className="hf-quiet">{t("vpn.peer", { peer: tunnel.peer })}</span>
        <Origins origins={[originOf(provenance, `vpn.tunnels.${name}`)]} />
      </header>
      <Differences differences={own} />
      <dl className="hf-ends">
        <div>
          <dt>{t("vpn.here")}</dt>
          <dd>
            <span className="hf-number">{local.address ?? t("vpn.anyAddress")}</span> ({local.identity})
            <div className="hf-quiet">{local.networks.join(", ")}</div>
          </dd>
        </div>
        <div>
          <dt>{t("vpn.there")}</dt>
          <dd>
            <span className="hf-number">{remote.address ?? t("vpn.dynamic")}</span> ({remote.identity})
            <div className="hf-quiet">{remote.networks.join(", ")}</div>
          </dd>
        </div>
        <div>
          <dt>{t("vpn.settings")}</dt>
          <dd>
            {tunnel.suite}
            <div className="hf-quiet">
              {t(tunnel.initiates ? "vpn.begins" : "vpn.waits")} {t(`vpn.clearText.${tunnel.clearText}`)}
            </div>
            <TunnelInterface tunnel={tunnel} seen={seen} />
          </dd>
        </div>
      </dl>
      {noKey ? <p className="hf-bad-text">{t("vpn.noKey", { file: tunnel.keyFile })}</p> : null}
      {sas.length === 0 ? (
        <p>{t(tunnel.initiates ? "vpn.noSa.begins" : "vpn.noSa.waits")}</p>
      ) : (
        <table className="hf-table">
          <caption className="hf-sr">{name}</caption>
          <TableHead
            columns={[
              "vpn.association",
              "net.state",
              "vpn.between",
              { number: "vpn.age" },
              { number: "vpn.rekey" },
              { number: "net.received" },
              { number: "net.sent" },
            ]}
          />
          <tbody>
            {sas.flatMap((sa, index) => [
              <tr key={`ike ${index}`}>
                <td data-label={t("vpn.association")}>IKE_SA</td>
                <td data-label={t("net.state")}>{sa.state}</td>
                <td data-label={t("vpn.between")} className="hf-number">
                  {sa.localAddress} ⇄ {sa.remoteAddress}
                </td>
                <td data-label={t("vpn.age")} className="hf-right">
                  {duration(sa.establishedSeconds)}
                </td>
                <td data-label={t("vpn.rekey")} className="hf-right">
                  {duration(sa.rekeySeconds)}
                </td>
                <td className="hf-right" />
                <td className="hf-right" />
              </tr>,
              ...sa.children.map((child, at) => (
                <tr key={`child ${index} ${at}`}>
                  <td data-label={t("vpn.association")}>↳ CHILD_SA</td>
                  <td data-label={t("net.state")}>{child.state}</td>
                  <td data-label={t("vpn.between")} className="hf-number">
                    {local.networks.join(", ")} ⇄ {remote.networks.join(", ")}
                  </td>
                  <td className="hf-right" />
                  <td data-label={t("vpn.rekey")} className="hf-right">
                    {duration(child.rekeySeconds)}
                  </td>
                  <td data-label={t("net.received")} className="hf-right hf-number">
                    {bytes(child.bytesIn)}
                  </td>
                  <td data-label={t("net.sent")} className="hf-right hf-number">
                    {bytes(child.bytesOut)}
                  </td>
                </tr>
              )),
            ])}
          </tbody>
        </table>
      )}
      <TunnelActs server={server} tunnel={name} seen={seen} remoteAddress={remote.address} isOpen={isOpen} />
    </article>
  );
}
