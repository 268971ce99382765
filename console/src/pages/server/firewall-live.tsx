import { type FirewallConfig, HOOKS, type HookName, type Peer, type Rule } from "@holdfast/domains/firewall/model.ts";
import { counterNames } from "@holdfast/domains/firewall/names.ts";
import { Alert } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { z } from "zod";
import { useLanguage, useT } from "../../i18n/language.ts";
import { type Difference, originOf, type Provenance } from "../../live/at-item.ts";
import { VerbLabel } from "../../parts/verb-label.tsx";
import { GenericLive } from "./generic-live.tsx";
import { Differences, Origins } from "./live-parts.tsx";

/** Of what a firewall module reports, the parts that are shown; anything else is in the view of everything. */
const observedSchema = z.object({
  unreadable: z.string().nullable().optional(),
  foreignHooks: z
    .array(
      z.object({
        family: z.string(),
        table: z.string(),
        name: z.string(),
        hook: z.string(),
        policy: z.string(),
        priority: z.number(),
      }),
    )
    .default([]),
  foreignOwners: z.array(z.string()).default([]),
  legacyTables: z.array(z.string()).default([]),
  /** Modules before it was told have none. */
  counts: z.record(z.string(), z.object({ packets: z.number(), bytes: z.number() })).optional(),
});

type Observed = z.infer<typeof observedSchema>;

export function peerText(peer: Peer): string {
  const parts = [peer.interfaces, peer.set, peer.addresses?.join(", ")].filter((part) => part !== undefined);
  return parts.length === 0 ? "any" : parts.join(" · ");
}

interface Props {
  readonly desired: FirewallConfig | null;
  readonly observed: unknown;
  readonly differences: readonly Difference[];
  readonly provenance: readonly Provenance[];
}

/** The rules with what they have counted, and what others have put in the same hooks. */
export function FirewallLive({ desired, observed, differences, provenance }: Props): ReactNode {
  const t = useT();
  const seen = observedSchema.safeParse(observed);
  if (!seen.success)
    return (
      <>
        <p className="hf-quiet">{t("live.shape")}</p>
        <Differences differences={differences} />
        <GenericLive value={observed} />
      </>
    );
  const { unreadable } = seen.data;
  return (
    <>
      {unreadable === null || unreadable === undefined ? null : <Alert isInline variant="danger" title={unreadable} />}
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
            observed={seen.data}
            observing={desired.mode === "observe"}
            provenance={provenance}
          />
        );
      })}
      <Foreign observed={seen.data} />
    </>
  );
}

interface HookProps {
  readonly hook: HookName;
  readonly rules: readonly Rule[];
  readonly fallback: Rule["verb"];
  readonly observed: Observed;
  readonly observing: boolean;
  readonly provenance: readonly Provenance[];
}

function HookTable({ hook, rules, fallback, observed, observing, provenance }: HookProps): ReactNode {
  const t = useT();
  const { counts } = observed;
  return (
    <section>
      <h3 className="hf-small-title">
        {t(`hook.${hook}`)} <span className="hf-quiet">{observing ? t("live.observing") : ""}</span>
      </h3>
      <table className="hf-table">
        <caption className="hf-sr">{t(`hook.${hook}`)}</caption>
        <thead>
          <tr>
            <th scope="col">{t("rule.name")}</th>
            <th scope="col">{t("rule.verb")}</th>
            <th scope="col">{t("rule.services")}</th>
            <th scope="col">{t("rule.from")}</th>
            <th scope="col">{t("rule.to")}</th>
            <th scope="col" className="hf-right">
              {t("rule.packets")}
            </th>
            <th scope="col" className="hf-right">
              {t("rule.bytes")}
            </th>
            <th scope="col">{t("config.from")}</th>
          </tr>
        </thead>
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
              <Counts counts={counts?.[ruleCounter(hook, rule, observing)]} />
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
            <Counts
              counts={
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

function Counts({ counts }: { readonly counts: { packets: number; bytes: number } | undefined }): ReactNode {
  const t = useT();
  const number = new Intl.NumberFormat(useLanguage());
  return (
    <>
      <td data-label={t("rule.packets")} className="hf-right hf-number">
        {counts === undefined ? "—" : number.format(counts.packets)}
      </td>
      <td data-label={t("rule.bytes")} className="hf-right hf-number">
        {counts === undefined ? "—" : number.format(counts.bytes)}
      </td>
    </>
  );
}

/** What others do with packets, read-only to us: it explains why an allow opens nothing. */
function Foreign({ observed }: { readonly observed: Observed }): ReactNode {
  const t = useT();
  const { foreignHooks, foreignOwners, legacyTables } = observed;
  return (
    <section>
      <h3 className="hf-small-title">{t("foreign.title")}</h3>
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
          <thead>
            <tr>
              <th scope="col">{t("foreign.chain")}</th>
              <th scope="col">{t("foreign.hook")}</th>
              <th scope="col" className="hf-right">
                {t("foreign.priority")}
              </th>
              <th scope="col">{t("foreign.policy")}</th>
            </tr>
          </thead>
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
