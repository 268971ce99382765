import { type FirewallConfig, HOOKS, type HookName, type Peer, type Rule } from "@holdfast/domains/firewall/model.ts";
import { counterNames } from "@holdfast/domains/firewall/names.ts";
import { Alert } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { originOf, type Provenance } from "../../live/at-item.ts";
import type { FirewallSeen } from "../../live/observed.ts";
import { VerbLabel } from "../../parts/verb-label.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { CountCells } from "./count-cells.tsx";
import { Differences, type LiveProps, Origins } from "./live-parts.tsx";

export function peerText(peer: Peer): string {
  const parts = [peer.interfaces, peer.set, peer.addresses?.join(", ")].filter((part) => part !== undefined);
  return parts.length === 0 ? "any" : parts.join(" · ");
}

/** The rules with what they have counted, and what others have put in the same hooks. */
export function FirewallLive({
  desired,
  seen,
  differences,
  provenance,
}: LiveProps<FirewallConfig, FirewallSeen>): ReactNode {
  const t = useT();
  const { unreadable } = seen;
  return (
    <>
      {unreadable === null || unreadable === undefined ? null : (
        <Alert component="p" isInline variant="danger" title={unreadable} />
      )}
      <Differences differences={differences} />
      {desired === null ? <p className="hf-quiet">{t("live.noFirewall")}</p> : null}
      {HOOKS.map((hook) => {
        const section = desired?.[hook];
        return desired === null || section === undefined ? null : (
          <HookTable
            key={hook}
            hook={hook}
            rules={section.rules}
            fallback={section.default}
            seen={seen}
            observing={desired.mode === "observe"}
            provenance={provenance}
          />
        );
      })}
      <Foreign seen={seen} />
    </>
  );
}

interface HookProps {
  readonly hook: HookName;
  readonly rules: readonly Rule[];
  readonly fallback: Rule["verb"];
  readonly seen: FirewallSeen;
  readonly observing: boolean;
  readonly provenance: readonly Provenance[];
}

function HookTable({ hook, rules, fallback, seen, observing, provenance }: HookProps): ReactNode {
  const t = useT();
  const { counts } = seen;
  return (
    <section>
      <h2 className="hf-small-title">
        {t(`hook.${hook}`)} <span className="hf-quiet">{observing ? t("live.observing") : ""}</span>
      </h2>
      <table className="hf-table">
        <caption className="hf-sr">{t(`hook.${hook}`)}</caption>
        <TableHead
          columns={[
            "rule.name",
            "rule.verb",
            "rule.services",
            "rule.from",
            "rule.to",
            { number: "rule.packets" },
            { number: "rule.bytes" },
            "config.from",
          ]}
        />
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.name}>
              <td data-label={t("rule.name")}>{rule.name}</td>
              <td data-label={t("rule.verb")}>
                <VerbLabel verb={rule.verb} />
              </td>
              <td data-label={t("rule.services")}>{rule.services.join(", ")}</td>
              <td data-label={t("rule.from")}>{rule.from.map(peerText).join(" | ")}</td>
              <td data-label={t("rule.to")}>{rule.to.map(peerText).join(" | ")}</td>
              <CountCells count={counts?.[ruleCounter(hook, rule, observing)]} />
              <td data-label={t("config.from")}>
                <Origins origins={[originOf(provenance, `firewall.${hook}.rules.${rule.name}`)]} />
              </td>
            </tr>
          ))}
          <tr className="hf-default-row">
            <td data-label={t("rule.name")}>{t("rule.default")}</td>
            <td data-label={t("rule.verb")}>
              <VerbLabel verb={fallback} />
            </td>
            <td colSpan={3} className="hf-quiet">
              {t("rule.default.why")}
            </td>
            <CountCells
              count={
                counts?.[
                  wouldDrop(fallback, observing) ? counterNames.observedDefault(hook) : counterNames.default(hook)
                ]
              }
            />
            <td data-label={t("config.from")}>
              <Origins origins={[originOf(provenance, `firewall.${hook}.default`)]} />
            </td>
          </tr>
        </tbody>
      </table>
      {counts === undefined ? <p className="hf-quiet">{t("live.noCounters")}</p> : null}
    </section>
  );
}

/** In observe mode what a rule would have cut is counted apart. */
function ruleCounter(hook: HookName, rule: Rule, observing: boolean): string {
  return wouldDrop(rule.verb, observing) ? counterNames.observed(hook, rule.name) : counterNames.rule(hook, rule.name);
}

function wouldDrop(verb: Rule["verb"], observing: boolean): boolean {
  return observing && verb !== "allow";
}

/** What others do with packets, read-only to us: it explains why an allow opens nothing. */
function Foreign({ seen }: { readonly seen: FirewallSeen }): ReactNode {
  const t = useT();
  const { foreignHooks, foreignOwners, legacyTables } = seen;
  return (
    <section>
      <h2 className="hf-small-title">{t("foreign.title")}</h2>
      <p className="hf-quiet">{t("foreign.why")}</p>
      {foreignOwners.length === 0 ? null : (
        <p>
          {t("foreign.owners")} {foreignOwners.join(", ")}
        </p>
      )}
      {legacyTables.length === 0 ? null : (
        <p>
          {t("foreign.legacy")} {legacyTables.join(", ")}
        </p>
      )}
      {foreignHooks.length === 0 ? (
        <p className="hf-quiet">{t("foreign.none")}</p>
      ) : (
        <table className="hf-table">
          <TableHead columns={["foreign.chain", "foreign.hook", { number: "foreign.priority" }, "foreign.policy"]} />
          <tbody>
            {foreignHooks.map(({ family, table, name, hook, priority, policy }) => (
              <tr key={`${family} ${table} ${name}`}>
                <td data-label={t("foreign.chain")}>
                  <code>
                    {family} {table} {name}
                  </code>
                </td>
                <td data-label={t("foreign.hook")}>{hook}</td>
                <td data-label={t("foreign.priority")} className="hf-right hf-number">
                  {priority}
                </td>
                <td data-label={t("foreign.policy")}>{policy}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
