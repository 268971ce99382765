import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { Rollout } from "@holdfast/core/api/change.ts";
import { isOpen } from "@holdfast/core/apply/state.ts";
import { Alert, Label, type LabelProps } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useAddressPart } from "../../app/place.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { CountdownText } from "../../parts/countdown.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { ServerIsBadge, StateBadge } from "../../parts/state-badge.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { ApplyStory } from "./apply-story.tsx";

const STATE_LOOK = {
  RUNNING: { color: "blue", text: "rollout.RUNNING" },
  PAUSED: { color: "grey", text: "rollout.PAUSED" },
  HALTED: { color: "red", text: "rollout.HALTED" },
  DONE: { color: "green", text: "rollout.DONE" },
} as const satisfies Record<Rollout["state"], { color: NonNullable<LabelProps["color"]>; text: MessageKey }>;

export function RolloutPage(): ReactNode {
  const t = useT();
  const id = useAddressPart("id");
  const rollout = useQuery(queries.rollout(id));
  const change = useQuery({ ...queries.change(rollout.data?.changeId ?? ""), enabled: rollout.data !== undefined });
  const data = rollout.data;
  const title =
    change.data?.title ??
    data?.waves.flatMap((wave) => wave.servers).find(({ apply }) => apply !== null)?.apply?.changeTitle ??
    t("rollout.title");
  return (
    <>
      <PageHead
        above={
          data === undefined ? (
            <AppLink to={paths.changes()}>{t("nav.changes")}</AppLink>
          ) : (
            <AppLink to={paths.change(data.changeId)}>{t("rollout.change")}</AppLink>
          )
        }
        title={title}
        badges={
          data === undefined ? null : (
            <span className="hf-badges">
              <Label isCompact color={STATE_LOOK[data.state].color} title={t(STATE_LOOK[data.state].text)}>
                {data.state}
              </Label>
              {data.kind === "rollback" ? <Label isCompact>{t("plan.rollback")}</Label> : null}
              <span className="hf-quiet">
                {data.requestedBy} · <TimeText at={data.createdAt} />
              </span>
            </span>
          )
        }
        actions={data === undefined ? undefined : <RolloutActs rollout={data} />}
      />
      <PageBody>
        <Loaded query={rollout} what={t("what.rollout")}>
          {(now) => <RolloutBody rollout={now} />}
        </Loaded>
      </PageBody>
    </>
  );
}

function RolloutBody({ rollout }: { readonly rollout: Rollout }): ReactNode {
  const t = useT();
  const applies = rollout.waves.flatMap(({ servers }) =>
    servers.flatMap(({ apply }) => (apply === null ? [] : [apply])),
  );
  const [picked, setPicked] = useState<string | null>(null);
  const shown = applies.find((apply) => apply.id === picked) ?? mostInteresting(applies);
  const all = rollout.waves.reduce((sum, wave) => sum + wave.servers.length, 0);
  const good = applies.filter(
    (apply) => apply.state === (rollout.kind === "forward" ? "APPLIED" : "ROLLED_BACK"),
  ).length;
  return (
    <div className="hf-stack">
      {rollout.haltMessage === null ? null : (
        <Alert component="p" isInline variant="danger" title={t("rollout.halted")}>
          <p>{rollout.haltMessage}</p>
          <p>
            {rollout.haltCode === null ? null : <code>{rollout.haltCode}</code>} {t("rollout.halted.next")}
          </p>
        </Alert>
      )}
      {rollout.breakGlass === null ? null : (
        <Alert component="p" isInline variant="warning" title={t("rollout.breakGlass", { ...rollout.breakGlass })}>
          {rollout.breakGlass.reason}
        </Alert>
      )}
      <p role="status" className="hf-sentence">
        {t(rollout.state === "DONE" ? "rollout.ended" : "rollout.progress", {
          good,
          all,
          wave: rollout.currentWave + 1,
          waves: rollout.waves.length,
        })}
      </p>
      <div className="hf-rollout">
        <div className="hf-waves">
          {rollout.waves.map(({ wave, servers }) => (
            <section
              key={wave}
              className="hf-wave"
              data-current={wave === rollout.currentWave && rollout.state !== "DONE"}
            >
              <h2 className="hf-small-title">
                {wave === 0 && rollout.waves.length > 1 ? t("rollout.canary") : t("rollout.wave", { wave: wave + 1 })}
              </h2>
              <ul>
                {servers.map(({ server, apply }) => (
                  <li key={server}>
                    {apply === null ? (
                      <div className="hf-wave-server">
                        <strong>{server}</strong> <span className="hf-quiet">{t("rollout.waits")}</span>
                      </div>
                    ) : (
                      <ServerButton apply={apply} isShown={apply.id === shown?.id} onPick={() => setPicked(apply.id)} />
                    )}
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
        {shown === undefined ? (
          <p className="hf-quiet">{t("rollout.nothingYet")}</p>
        ) : (
          <ApplyStory key={shown.id} id={shown.id} />
        )}
      </div>
    </div>
  );
}

/** What is under way, else what went wrong, else the first. */
function mostInteresting(applies: readonly ApplySummary[]): ApplySummary | undefined {
  return (
    applies.find(({ state }) => isOpen(state)) ??
    applies.find(({ state }) => state === "FAILED" || state === "ROLLED_BACK") ??
    applies[0]
  );
}

function ServerButton({
  apply,
  isShown,
  onPick,
}: {
  readonly apply: ApplySummary;
  readonly isShown: boolean;
  readonly onPick: () => void;
}): ReactNode {
  const t = useT();
  return (
    <button type="button" className="hf-wave-server" aria-pressed={isShown} onClick={onPick}>
      <strong>{apply.server}</strong> <StateBadge state={apply.state} phase={apply.phase} />
      {isOpen(apply.state) ? (
        apply.deadlineAt === null ? null : (
          <CountdownText deadlineAt={apply.deadlineAt} />
        )
      ) : (
        <span>
          {t("serverIs.label")} <ServerIsBadge serverIs={apply.serverIs} />
        </span>
      )}
    </button>
  );
}

function RolloutActs({ rollout }: { readonly rollout: Rollout }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [halting, setHalting] = useState(false);
  const act = useMutation({
    mutationFn: ({ route, reason }: { route: "pauseRollout" | "resumeRollout" | "haltRollout"; reason: string }) =>
      call(route, { params: { id: rollout.id }, body: { reason } }),
    onSuccess: () => setHalting(false),
    onSettled: () => client.invalidateQueries(),
  });
  const { pause, resume, halt } = rollout.actions;
  return (
    <>
      <div className="hf-actions">
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={pause}
          onClick={() => act.mutate({ route: "pauseRollout", reason: "" })}
        >
          {t("rollout.pause")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={resume}
          onClick={() => act.mutate({ route: "resumeRollout", reason: "" })}
        >
          {t("rollout.resume")}
        </ReasonButton>
        <ReasonButton size="sm" variant="secondary" isDanger reason={halt} onClick={() => setHalting(true)}>
          {t("rollout.halt")}
        </ReasonButton>
      </div>
      {halting ? (
        <ActDialog
          title={t("rollout.halt")}
          text={t("rollout.halt.ask")}
          confirmText={t("rollout.halt")}
          wantsReason
          danger
          isPending={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate({ route: "haltRollout", reason })}
          onClose={() => {
            setHalting(false);
            act.reset();
          }}
        />
      ) : (
        <ProblemAlert error={act.error} title={t("act.failed")} />
      )}
    </>
  );
}
