import { Alert, Button, Checkbox } from "@patternfly/react-core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../api/client.ts";
import { useDenied } from "../api/session.ts";
import { useT } from "../i18n/language.ts";
import { CopyText } from "../ui/copy-text.tsx";
import { ReasonButton } from "../ui/reason-button.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { ProblemAlert } from "./problem-alert.tsx";

interface Props {
  readonly server: string;
  readonly fingerprint: string;
  readonly since: string;
}

/** A key is approved only by somebody who compared it with what the server itself printed. */
export function KeyApproval({ server, fingerprint, since }: Props): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const denied = useDenied();
  const [compared, setCompared] = useState(false);
  const approve = useMutation({
    // The fingerprint that was shown is what is approved: another key in between is refused.
    mutationFn: () => call("approveServerKey", { params: { name: server }, body: { fingerprint } }),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Alert component="p" isInline variant="warning" title={t("key.title", { server })}>
      <p>
        {t("key.compare")} <TimeText at={since} />
      </p>
      <CopyText text={fingerprint} block />
      <Checkbox
        id={`compared-${server}`}
        label={t("key.compared")}
        isChecked={compared}
        onChange={(_event, checked) => setCompared(checked)}
      />
      <ProblemAlert error={approve.error} title={t("key.failed")} />
      <div className="hf-actions">
        <ReasonButton
          reason={denied("admin") ?? (compared ? null : t("key.compareFirst"))}
          isLoading={approve.isPending}
          onClick={() => approve.mutate()}
        >
          {t("key.approve")}
        </ReasonButton>
        {approve.isSuccess ? (
          <Button variant="plain" isDisabled>
            {t("key.approved")}
          </Button>
        ) : null}
      </div>
    </Alert>
  );
}
