import type { TunnelConfig } from "@holdfast/domains/vpn/model.ts";
import { Label } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import type { VpnSeen } from "../../live/observed.ts";

interface Props {
  readonly tunnel: TunnelConfig;
  readonly seen: VpnSeen;
}

/** How packets get into the tunnel. The interface is known by the routes that lead into it: its name is made by the module. */
export function TunnelInterface({ tunnel, seen }: Props): ReactNode {
  const t = useT();
  if (tunnel.via === undefined) return <div className="hf-quiet">{t("vpn.viaPolicy")}</div>;
  const routed = seen.into.filter(({ network }) => tunnel.remote.networks.includes(network));
  const names = [...new Set(routed.map(({ link }) => link))];
  const missing = tunnel.remote.networks.filter((network) => !routed.some((route) => route.network === network));
  return (
    <div>
      {names.map((name) => {
        const link = seen.links.find((one) => one.name === name);
        return (
          <span key={name} className="hf-line-row">
            {t("vpn.viaInterface")} <code>{name}</code>
            <Label isCompact color={link?.isUp === true ? "green" : "red"}>
              {t(link?.isUp === true ? "vpn.linkUp" : link === undefined ? "vpn.linkGone" : "vpn.linkDown")}
            </Label>
          </span>
        );
      })}
      {missing.length === 0 ? null : (
        <p className="hf-bad-text">{t("vpn.notRouted", { networks: missing.join(", ") })}</p>
      )}
    </div>
  );
}
