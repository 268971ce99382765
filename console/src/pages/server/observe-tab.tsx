import { ok } from "@holdfast/core/base/result.ts";
import { Alert, Button } from "@patternfly/react-core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { usePending } from "../../editor/pending.ts";
import { writePending } from "../../editor/write-pending.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { originOf, type Provenance } from "../../live/at-item.ts";
import { groupKey, type ObserveGroup, observeGroups, undecided } from "../../live/observe-groups.ts";
import { desiredOf, firewallCountsOf } from "../../live/observed.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { VerbLabel } from "../../parts/verb-label.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { CountCells } from "./count-cells.tsx";
import { Origins } from "./live-parts.tsx";

/** For a firewall that observes: what it would have dropped, decided one by one, and the step to enforce. */
export function ObserveTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const config = useQuery(queries.serverConfig(name));
  return (
    <Loaded query={config} what={t("what.config")}>
      {(value) => {
        const { firewall } = desiredOf(value.config);
        if (firewall === null) return <p className="hf-quiet">{t("live.noFirewall")}</p>;
        if (firewall.mode === "enforce")
          return <Alert component="p" isInline variant="info" title={t("observe.enforces")} />;
        return <Observing name={name} config={value} />;
      }}
    </Loaded>
  );
}

function Observing({ name, config }: { readonly name: string; readonly config: Answer<"getServerConfig"> }): ReactNode {
  const t = useT();
  const live = useQuery(queries.serverLive(name));
  return (
    <Loaded query={live} what={t("what.live", { server: name })}>
      {({ at, domains }) => {
        const counts = firewallCountsOf(domains.find((one) => one.domain === "firewall")?.observed);
        const { firewall } = desiredOf(config.config);
        const groups = firewall === null ? [] : observeGroups(firewall, counts);
        return (
          <div className="hf-stack">
            <p>{t("observe.what")}</p>
            <div className="hf-line-row">
              <span>
                {t("live.asked")} <TimeText at={at} />
              </span>
              <Button size="sm" variant="secondary" isLoading={live.isFetching} onClick={() => void live.refetch()}>
                {t("live.again")}
              </Button>
            </div>
            <Groups groups={groups} provenance={config.provenance} />
          </div>
        );
      }}
    </Loaded>
  );
}

interface GroupsProps {
  readonly groups: readonly ObserveGroup[];
  readonly provenance: readonly Provenance[];
}

function Groups({ groups, provenance }: GroupsProps): ReactNode {
  const t = useT();
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  const left = undecided(groups, decided);
  const decide = (key: string, drop: boolean): void =>
    setDecided((before) => new Set(drop ? [...before, key] : [...before].filter((one) => one !== key)));
  return (
    <>
      <table className="hf-table">
        <caption className="hf-sr">{t("observe.groups")}</caption>
        <TableHead
          columns={[
            "observe.stopped",
            "rule.verb",
            { number: "rule.packets" },
            { number: "rule.bytes" },
            "observe.change",
            "observe.decision",
          ]}
        />
        <tbody>
          {groups.map((group) => (
            <Group
              key={groupKey(group)}
              group={group}
              provenance={provenance}
              isDecided={decided.has(groupKey(group))}
              onDecide={(drop) => decide(groupKey(group), drop)}
            />
          ))}
        </tbody>
      </table>
      {groups.length === 0 ? <p className="hf-quiet">{t("observe.none")}</p> : null}
      <Enforce left={left.length} origin={originOf(provenance, "firewall.mode")} />
    </>
  );
}

const KIND_TEXT = {
  default: "observe.kind.default",
  rule: "observe.kind.rule",
  limit: "observe.kind.limit",
} as const satisfies Record<ObserveGroup["kind"], MessageKey>;

interface GroupProps {
  readonly group: ObserveGroup;
  readonly provenance: readonly Provenance[];
  readonly isDecided: boolean;
  readonly onDecide: (drop: boolean) => void;
}

function Group({ group, provenance, isDecided, onDecide }: GroupProps): ReactNode {
  const t = useT();
  const { hook, kind, rule, verb, count } = group;
  const item = rule === null ? `firewall.${hook}.default` : `firewall.${hook}.rules.${rule}`;
  const origin = originOf(provenance, item) ?? originOf(provenance, "firewall.mode");
  const words = t(KIND_TEXT[kind], { rule: rule ?? "" });
  const isSeen = count?.packets !== 0;
  return (
    <tr data-drift={isSeen && !isDecided}>
      <td data-label={t("observe.stopped")}>
        <strong>{words}</strong>
        <div className="hf-quiet hf-small">{t(`hook.${hook}`)}</div>
      </td>
      <td data-label={t("rule.verb")}>
        <VerbLabel verb={verb} />
      </td>
      <CountCells count={count ?? undefined} />
      <td data-label={t("observe.change")}>
        <span className="hf-origins">
          {origin === undefined ? null : <RuleLink origin={origin} isDefault={rule === null} />}
          <Origins origins={[origin]} />
        </span>
      </td>
      <td data-label={t("observe.decision")}>
        {isSeen ? (
          <label className="hf-decision">
            <input
              type="checkbox"
              checked={isDecided}
              aria-label={`${t("observe.drop")}: ${words}, ${t(`hook.${hook}`)}`}
              onChange={(event) => onDecide(event.target.checked)}
            />
            {t("observe.drop")}
          </label>
        ) : (
          <span className="hf-quiet">{t("observe.unseen")}</span>
        )}
      </td>
    </tr>
  );
}

function RuleLink({ origin, isDefault }: { readonly origin: Provenance; readonly isDefault: boolean }): ReactNode {
  const t = useT();
  const [kind = "", name = ""] = origin.from.document.split("/", 2);
  return (
    <AppLink to={paths.editDocument(kind, name, { view: "rules" })}>
      {t(isDefault ? "observe.allow" : "observe.toRule")}
    </AppLink>
  );
}

/** Puts `mode: enforce` into the pending change, where the mode is written, and shows the difference: nothing is applied here. */
function Enforce({ left, origin }: { readonly left: number; readonly origin: Provenance | undefined }): ReactNode {
  const t = useT();
  const place = usePlace();
  const denied = useDenied()("edit");
  const enforce = useMutation({
    mutationFn: async (from: string) => {
      const [kind = "", name = ""] = from.split("/", 2);
      await writePending(from, () => ok({ kind: "set", path: ["firewall", "mode"], value: "enforce" }), {
        deleted: (document) => t("observe.deleted", { document }),
        refused: (why: never) => why,
      });
      place.go(paths.editDocument(kind, name, { view: "difference" }));
    },
  });
  const document = origin?.from.document ?? "";
  const isDeleted = usePending().edits.some(({ kind, name, text }) => text === null && `${kind}/${name}` === document);
  const reason =
    denied ??
    (origin === undefined ? t("observe.nowhere") : null) ??
    (isDeleted ? t("observe.deleted", { document }) : null) ??
    (left > 0 ? t("observe.undecided", { count: left }) : null);
  return (
    <div className="hf-stack">
      <ProblemAlert error={enforce.error} title={t("act.failed")} />
      <div className="hf-line-row">
        <ReasonButton
          variant="primary"
          reason={reason}
          isLoading={enforce.isPending}
          onClick={() => (origin === undefined ? undefined : enforce.mutate(origin.from.document))}
        >
          {t("observe.enforce")}
        </ReasonButton>
        <span className="hf-quiet">{reason ?? t("observe.enforce.next")}</span>
      </div>
    </div>
  );
}
