import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { FormGroup, FormSelect, FormSelectOption } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { EnrolDialog } from "../servers/enrol-dialog.tsx";

const HOUR = 3600;
/** Seconds that a pause may be asked for; it ends by itself. */
const PAUSES = [HOUR, 4 * HOUR, 24 * HOUR, 7 * 24 * HOUR] as const;

type Asking = "pause" | "unlock" | "release" | "enrol" | null;

export function ServerActs({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const place = usePlace();
  const denied = useDenied();
  const [asking, setAsking] = useState<Asking>(null);
  const [seconds, setSeconds] = useState<number>(PAUSES[0]);
  const { name } = server;

  const act = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSuccess: () => setAsking(null),
    onSettled: () => client.invalidateQueries(),
  });
  const close = (): void => {
    setAsking(null);
    act.reset();
  };
  const released = server.enrolment === "released" ? t("server.isReleased") : null;
  const notEnrolled = server.enrolment === "enrolled" ? null : t("server.notEnrolled");

  return (
    <>
      <div className="hf-actions">
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={null}
          onClick={() => place.go(paths.editDocument("Server", name))}
        >
          {t("server.edit")}
        </ReasonButton>
        {server.enrolment === "expected" ? (
          <ReasonButton size="sm" reason={denied("admin")} onClick={() => setAsking("enrol")}>
            {t("enrol.open")}
          </ReasonButton>
        ) : null}
        {server.paused === null ? (
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={denied("apply") ?? notEnrolled}
            onClick={() => setAsking("pause")}
          >
            {t("server.pause")}
          </ReasonButton>
        ) : (
          <ReasonButton
            size="sm"
            variant="secondary"
            reason={denied("apply")}
            onClick={() => act.mutate(() => call("resumeServer", { params: { name }, body: {} }))}
          >
            {t("server.resume")}
          </ReasonButton>
        )}
        <ReasonButton
          size="sm"
          variant="secondary"
          reason={denied("apply") ?? (server.locked === null ? t("server.notLocked") : null)}
          onClick={() => setAsking("unlock")}
        >
          {t("server.unlock")}
        </ReasonButton>
        <ReasonButton
          size="sm"
          variant="secondary"
          isDanger
          reason={denied("admin") ?? released ?? (server.open === null ? null : t("server.isBusy"))}
          onClick={() => setAsking("release")}
        >
          {t("server.release")}
        </ReasonButton>
      </div>
      {asking === null ? <ProblemAlert error={act.error} title={t("act.failed")} /> : null}
      {asking === "enrol" ? <EnrolDialog server={name} onClose={close} /> : null}
      {asking === "pause" ? (
        <ActDialog
          title={t("server.pause")}
          text={t("server.pause.ask", { server: name })}
          confirmText={t("server.pause")}
          wantsReason
          isPending={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate(() => call("pauseServer", { params: { name }, body: { seconds, reason } }))}
          onClose={close}
        >
          <FormGroup label={t("server.pause.for")} fieldId="pause-for" className="hf-dialog-form">
            <FormSelect id="pause-for" value={seconds} onChange={(_event, value) => setSeconds(Number(value))}>
              {PAUSES.map((choice) => (
                <FormSelectOption key={choice} value={choice} label={t("hours", { count: choice / HOUR })} />
              ))}
            </FormSelect>
          </FormGroup>
        </ActDialog>
      ) : null}
      {asking === "unlock" ? (
        <ActDialog
          title={t("server.unlock")}
          text={t("server.unlock.ask", { server: name, why: server.locked?.reason ?? "" })}
          confirmText={t("server.unlock")}
          wantsReason
          isPending={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate(() => call("unlockServer", { params: { name }, body: { reason } }))}
          onClose={close}
        />
      ) : null}
      {asking === "release" ? (
        <ActDialog
          title={t("server.release")}
          text={t("server.release.ask", { server: name })}
          confirmText={t("server.release")}
          wantsReason
          typed={name}
          danger
          isPending={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate(() => call("releaseServer", { params: { name }, body: { reason } }))}
          onClose={close}
        />
      ) : null}
    </>
  );
}
