import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import { Alert, Button, Label, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useSearchState } from "../../app/search-state.ts";
import { useT } from "../../i18n/language.ts";
import {
  desiredOf,
  firewallSeenSchema,
  networkSeenSchema,
  systemSeenSchema,
  vpnSeenSchema,
} from "../../live/observed.ts";
import { NativeText } from "../../parts/native-diff.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { FirewallLive } from "./firewall-live.tsx";
import { ForeignBlocks } from "./foreign-blocks.tsx";
import { GenericLive } from "./generic-live.tsx";
import { Differences } from "./live-parts.tsx";
import { NetworkLive } from "./network-live.tsx";
import { SystemLive } from "./system-live.tsx";
import { VpnLive } from "./vpn-live.tsx";

/** What the server itself says now, beside what it should be. Asked when the tab is opened and when the button is pressed. */
export function LiveTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const live = useQuery(queries.serverLive(name));
  const config = useQuery(queries.serverConfig(name));
  const [domain, setDomain] = useSearchState("domain");
  return (
    <Loaded query={live} what={t("what.live", { server: name })}>
      {({ at, generation, domains, open }) => (
        <div className="hf-stack">
          <div className="hf-line-row">
            <span>
              {t("live.asked")} <TimeText at={at} />
            </span>
            <span className="hf-quiet">{t("live.generation", { generation })}</span>
            <Button size="sm" variant="secondary" isLoading={live.isFetching} onClick={() => void live.refetch()}>
              {t("live.again")}
            </Button>
          </div>
          {domains.length === 0 ? <p className="hf-quiet">{t("live.none")}</p> : null}
          {domains.length > 1 ? (
            <ToggleGroup aria-label={t("live.domains")}>
              {domains.map((one) => (
                <ToggleGroupItem
                  key={one.domain}
                  buttonId={`domain-${one.domain}`}
                  text={t(`domain.${domainWord(one.domain)}`)}
                  {...(one.drift ? { icon: <ExclamationTriangleIcon aria-label={t("status.drift")} /> } : {})}
                  isSelected={one === shown(domains, domain)}
                  onChange={() => setDomain(one.domain)}
                />
              ))}
            </ToggleGroup>
          ) : null}
          <DomainLive one={shown(domains, domain)} config={config.data} server={name} isOpen={open !== null} />
        </div>
      )}
    </Loaded>
  );
}

type Domain = Answer<"getServerLive">["domains"][number];

function shown(domains: readonly Domain[], wanted: string): Domain | undefined {
  return (
    domains.find((one) => one.domain === wanted) ??
    // What changes most often, and what people come for.
    domains.find((one) => one.domain === "firewall") ??
    domains[0]
  );
}

interface DomainProps {
  readonly one: Domain | undefined;
  readonly config: Answer<"getServerConfig"> | undefined;
  readonly server: string;
  /** A transaction is open on the server. */
  readonly isOpen: boolean;
}

function DomainLive({ one, ...about }: DomainProps): ReactNode {
  const t = useT();
  if (one === undefined) return null;
  return (
    <>
      <div className="hf-line-row">
        <Label
          color={one.error !== "" ? "red" : one.drift ? "yellow" : "green"}
          icon={one.drift || one.error !== "" ? <ExclamationTriangleIcon /> : <CheckCircleIcon />}
        >
          {t(`domain.${domainWord(one.domain)}`)}:{" "}
          {one.error !== "" ? t("live.unreadable") : one.drift ? t("live.drift") : t("live.same")}
        </Label>
        <span className="hf-quiet">
          {t("live.digests")} <CopyText text={one.liveDigest} shown={one.liveDigest.slice(0, 12)} /> /{" "}
          <CopyText text={one.confirmedDigest} shown={one.confirmedDigest.slice(0, 12)} />
        </span>
      </div>
      {one.error === "" ? null : <Alert component="p" isInline variant="danger" title={one.error} />}
      <DomainView one={one} {...about} />
      {one.foreign === null ? null : <ForeignBlocks foreign={one.foreign} />}
      <details>
        <summary>{t("live.raw")}</summary>
        <NativeText text={JSON.stringify(one.observed, null, 2)} label={t("live.raw")} />
      </details>
    </>
  );
}

/** Each domain in a view made for it; whatever is not understood is shown as it came. */
function DomainView({ one, config, server, isOpen }: DomainProps & { readonly one: Domain }): ReactNode {
  const t = useT();
  const desired = desiredOf(config?.config);
  const about = { differences: one.differences, provenance: config?.provenance ?? [] };
  if (one.observed === null) return <p className="hf-quiet">{t("live.notObserved")}</p>;
  switch (domainWord(one.domain)) {
    case "firewall": {
      const seen = firewallSeenSchema.safeParse(one.observed);
      if (seen.success) return <FirewallLive desired={desired.firewall} seen={seen.data} {...about} />;
      break;
    }
    case "network": {
      const seen = networkSeenSchema.safeParse(one.observed);
      if (seen.success) return <NetworkLive desired={desired.network} seen={seen.data} {...about} />;
      break;
    }
    case "system": {
      const seen = systemSeenSchema.safeParse(one.observed);
      if (seen.success) return <SystemLive desired={desired.system} seen={seen.data} {...about} />;
      break;
    }
    case "vpn": {
      const seen = vpnSeenSchema.safeParse(one.observed);
      if (seen.success)
        return <VpnLive desired={desired.vpn} seen={seen.data} {...about} server={server} isOpen={isOpen} />;
      break;
    }
    case "other":
      break;
  }
  return (
    <>
      <p className="hf-quiet">{t("live.shape")}</p>
      <Differences differences={one.differences} />
      <GenericLive value={one.observed} />
    </>
  );
}

/** Domains that this console knows; a module of a later version may bring another. */
function domainWord(name: string): DomainName | "other" {
  return DOMAINS.find((one) => one === name) ?? "other";
}
