import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { Alert } from "@patternfly/react-core";
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { documentToSendAgain } from "./put-back.ts";

/** Somebody changed the server by hand: where to compare, and the two ways out. Nothing is applied here. */
export function DriftAlert({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const place = usePlace();
  const denied = useDenied()("edit");
  const heads = useQuery(queries.documents());
  const again = heads.data === undefined ? null : documentToSendAgain(server.policies, heads.data);
  const putBack = useMutation({
    mutationFn: async ({ kind, name }: { readonly kind: string; readonly name: string }) => {
      const { text, revision } = await call("getDocument", { params: { kind, name } });
      const change = await call("createChange", {
        body: {
          title: t("server.drift.change", { server: server.name }),
          documents: [{ text: text ?? "", baseRevision: revision }],
        },
      });
      return call("planChange", { params: { id: change.id }, body: { trial: {} } });
    },
    onSuccess: ({ id }) => place.go(paths.change(id)),
  });
  const reason =
    denied ??
    (heads.data === undefined ? t("load.waiting", { what: t("what.documents") }) : null) ??
    (again === null ? t("server.drift.putBack.none") : null);
  return (
    <Alert component="p" isInline variant="warning" title={t("server.drift", { domains: server.drift.join(", ") })}>
      <p>
        {t("server.drift.next")}{" "}
        <AppLink to={paths.server(server.name, { tab: "live", domain: server.drift[0] ?? "" })}>
          {t("server.tab.live")}
        </AppLink>
      </p>
      <p>{t("server.drift.right")}</p>
      <p>{t("server.drift.wrong")}</p>
      <ReasonButton
        size="sm"
        variant="secondary"
        reason={reason}
        isLoading={putBack.isPending}
        onClick={() => (again === null ? undefined : putBack.mutate(again))}
      >
        {t("server.drift.putBack")}
      </ReasonButton>
      <ProblemAlert error={putBack.error} title={t("server.drift.failed")} />
    </Alert>
  );
}
