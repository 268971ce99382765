import { firewallConfigSchema, HOOKS, type HookName, type Peer, type Rule } from "@holdfast/domains/firewall/model.ts";
import type { ReactNode } from "react";
import { z } from "zod";
import { useLanguage, useT } from "../../i18n/language.ts";
import { VerbLabel } from "../../parts/verb-label.tsx";

/** Of what a firewall module reports, the parts that are shown; anything else is in the raw view. */
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
  counters: z.record(z.string(), z.object({ packets: z.number(), bytes: z.number() })).optional(),
});
/** Older modules name their counters only. */
const withoutCounts = observedSchema.omit({ counters: true });
const desiredSchema = z.object({ firewall: firewallConfigSchema });

type Observed = z.infer<typeof observedSchema>;

export function peerText(peer: Peer): string {
  const parts = [peer.interfaces, peer.set, peer.addresses?.join(", ")].filter((part) => part !== undefined);
  return parts.length === 0 ? "any" : parts.join(" · ");
}

interface Props {
  readonly desired: unknown;
  readonly observed: unknown;
}

/** The rules with what they have counted, and what others have put in the same hooks. */
export function FirewallLive({ desired, observed }: Props): ReactNode {
  const t = useT();
  const wanted = desiredSchema.safeParse(desired);
  // Without an observation the rules are still worth seeing; the note says what is missing.
  const first = observedSchema.safeParse(observed ?? {});
  const seen: z.ZodSafeParseResult<Observed> = first.success ? first : withoutCounts.safeParse(observed ?? {});
  if (!seen.success) return <p className="hf-quiet">{t("live.shape")}</p>;
  return (
    <>
      {wanted.success ? (
        HOOKS.map((hook) => {
          const section = wanted.data.firewall[hook];
          return section === undefined ? null : (
            <HookTable
              key={hook}
              hook={hook}
              rules={section.rules}
              fallback={section.default}
              observed={seen.data}
              observing={wanted.data.firewall.mode === "observe"}
            />
          );
        })
      ) : (
        <p className="hf-quiet">{t("live.noFirewall")}</p>
      )}
      {observed === null ? <p className="hf-quiet">{t("live.notObserved")}</p> : <Foreign observed={seen.data} />}
    </>
  );
}

interface HookProps {
  readonly hook: HookName;
  readonly rules: readonly Rule[];
  readonly fallback: Rule["verb"];
  readonly observed: Observed;
  readonly observing: boolean;
}

function HookTable({ hook, rules, fallback, observed, observing }: HookProps): ReactNode {
  const t = useT();
  const counters = observed.counters;
  const prefix = observing ? "o" : "c";
  return (
    <section>
      <h3 className="hf-small-title">
        {t(`hook.${hook}`)} <span className="hf-quiet">{observing ? t("live.observing") : ""}</span>
      </h3>
      <table className="hf-table">
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
              <Counts counts={counters?.[`${prefix}_${hook}_${rule.name}`]} />
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
            <Counts counts={counters?.[`${observing ? "od" : "d"}_${hook}`]} />
          </tr>
        </tbody>
      </table>
      {counters === undefined ? <p className="hf-quiet">{t("live.noCounters")}</p> : null}
    </section>
  );
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
