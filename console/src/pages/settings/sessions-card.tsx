import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call, Refused } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { type SignedIn, SignedInTable } from "./signed-in-table.tsx";

/** One after the other. One that has ended meanwhile is what was wanted; where it fails half-way, the list tells what is left. */
async function endAll(sessions: readonly SignedIn[]): Promise<void> {
  for (const { id } of sessions)
    await call("revokeSession", { params: { id } }).catch((error: unknown) => {
      if (!(error instanceof Refused && error.problem.status === 404)) throw error;
    });
}

/** What I am signed in with, and an end to what is not me. */
export function SessionsCard(): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const sessions = useQuery(queries.sessions());
  const [ending, setEnding] = useState<SignedIn | "others" | null>(null);
  const others = (sessions.data?.items ?? []).filter((one) => one.kind === "session" && !one.current);
  const end = useMutation({
    mutationFn: (which: SignedIn | "others") => endAll(which === "others" ? others : [which]),
    onSuccess: () => setEnding(null),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["listSessions"] }),
        client.invalidateQueries({ queryKey: ["listTokens"] }),
      ]),
  });
  return (
    <Card isCompact>
      <CardTitle component="h2">{t("sessions.card")}</CardTitle>
      <CardBody className="hf-stack">
        <p className="hf-quiet">{t("sessions.sub")}</p>
        <Loaded query={sessions} what={t("what.sessions")}>
          {({ items }) => <SignedInTable caption={t("sessions.card")} items={items} onEnd={setEnding} />}
        </Loaded>
        <div className="hf-actions">
          <ReasonButton
            variant="secondary"
            size="sm"
            isDanger
            reason={others.length === 0 ? t("sessions.noOthers") : null}
            onClick={() => setEnding("others")}
          >
            {t("sessions.endOthers")}
          </ReasonButton>
        </div>
      </CardBody>
      {ending === null ? null : (
        <ActDialog
          title={ending === "others" ? t("sessions.endOthers") : t("signedIn.end")}
          text={
            ending === "others"
              ? t("sessions.endOthers.ask", { count: others.length })
              : ending.kind === "session"
                ? t("signedIn.end.ask", { source: ending.source })
                : t("tokens.revoke.ask", { name: ending.name })
          }
          confirmText={ending === "others" ? t("sessions.endOthers") : t("signedIn.end")}
          danger
          isPending={end.isPending}
          error={end.error}
          onConfirm={() => end.mutate(ending)}
          onClose={() => {
            setEnding(null);
            end.reset();
          }}
        />
      )}
    </Card>
  );
}
