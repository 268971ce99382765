import { Alert, Button, Label, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { NativeText } from "../../parts/native-diff.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { FirewallLive } from "./firewall-live.tsx";

/** What the server itself says now, beside what it should be. Asked when the tab is opened and when the button is pressed. */
export function LiveTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const live = useQuery(queries.serverLive(name));
  const config = useQuery(queries.serverConfig(name));
  const [domain, setDomain] = useState("firewall");
  return (
    <Loaded query={live} what={t("what.live", { server: name })}>
      {({ at, generation, domains }) => (
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
                  text={one.domain}
                  {...(one.drift ? { icon: <ExclamationTriangleIcon aria-label={t("status.drift")} /> } : {})}
                  isSelected={one === shown(domains, domain)}
                  onChange={() => setDomain(one.domain)}
                />
              ))}
            </ToggleGroup>
          ) : null}
          <DomainLive one={shown(domains, domain)} desired={config.data?.config} />
        </div>
      )}
    </Loaded>
  );
}

type Domain = Answer<"getServerLive">["domains"][number];

function shown(domains: readonly Domain[], wanted: string): Domain | undefined {
  return domains.find((one) => one.domain === wanted) ?? domains[0];
}

function DomainLive({ one, desired }: { readonly one: Domain | undefined; readonly desired: unknown }): ReactNode {
  const t = useT();
  if (one === undefined) return null;
  return (
    <>
      <div className="hf-line-row">
        <Label
          color={one.error !== "" ? "red" : one.drift ? "yellow" : "green"}
          icon={one.drift || one.error !== "" ? <ExclamationTriangleIcon /> : <CheckCircleIcon />}
        >
          {one.domain}: {one.error !== "" ? t("live.unreadable") : one.drift ? t("live.drift") : t("live.same")}
        </Label>
        <span className="hf-quiet">
          {t("live.digests")} <CopyText text={one.liveDigest} shown={one.liveDigest.slice(0, 12)} /> /{" "}
          <CopyText text={one.confirmedDigest} shown={one.confirmedDigest.slice(0, 12)} />
        </span>
      </div>
      {one.error === "" ? null : <Alert isInline variant="danger" title={one.error} />}
      {one.domain === "firewall" ? <FirewallLive desired={desired} observed={one.observed} /> : null}
      <details>
        <summary>{t("live.raw")}</summary>
        <NativeText text={JSON.stringify(one.observed, null, 2)} label={t("live.raw")} />
      </details>
    </>
  );
}
