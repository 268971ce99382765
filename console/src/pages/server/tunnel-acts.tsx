import type { TunnelPart, TunnelVerb } from "@holdfast/core/plan/tunnel-act.ts";
import { FormGroup, Radio, Spinner } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { useDenied } from "../../api/session.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import type { VpnSeen } from "../../live/observed.ts";
import { type TunnelObstacle, tunnelObstacle } from "../../live/tunnel-obstacle.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { findingKey } from "../../parts/finding-key.ts";
import { FindingList } from "../../parts/findings.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { useStepUp } from "../../parts/step-up.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";

const ACTS = ["initiate", "rekey", "terminate"] as const satisfies readonly TunnelVerb[];

const TEXT = {
  initiate: { button: "vpn.act.initiate", ask: "vpn.act.initiate.ask" },
  rekey: { button: "vpn.act.rekey", ask: "vpn.act.rekey.ask" },
  terminate: { button: "vpn.act.terminate", ask: "vpn.act.terminate.ask" },
} as const satisfies Record<TunnelVerb, { readonly button: MessageKey; readonly ask: MessageKey }>;

/** What can be chosen, the usual one first. */
const PARTS = {
  initiate: ["child"],
  rekey: ["child", "ike"],
  terminate: ["ike", "child"],
} as const satisfies Record<TunnelVerb, readonly TunnelPart[]>;

const PART_TEXT = {
  initiate: { child: "vpn.act.initiate", ike: "vpn.act.initiate" },
  rekey: { child: "vpn.act.rekey.child", ike: "vpn.act.rekey.ike" },
  terminate: { child: "vpn.act.terminate.child", ike: "vpn.act.terminate.ike" },
} as const satisfies Record<TunnelVerb, Record<TunnelPart, MessageKey>>;

const OBSTACLE_TEXT = {
  open: "server.isBusy",
  charonDown: "vpn.charonDown",
  up: "vpn.act.isUp",
  otherEnd: "vpn.act.otherEndBegins",
  down: "vpn.act.isDown",
} as const satisfies Record<TunnelObstacle, MessageKey>;

interface Props {
  readonly server: string;
  readonly tunnel: string;
  readonly seen: VpnSeen;
  /** The other end's address, where it is known here. */
  readonly remoteAddress: string | null;
  /** A transaction is open on the server. */
  readonly isOpen: boolean;
  /** Left out: all of them. */
  readonly only?: readonly TunnelVerb[];
}

/** What can be done to a tunnel beside changing it; each asks the server first what it would cut. */
export function TunnelActs({ server, tunnel, seen, remoteAddress, isOpen, only = ACTS }: Props): ReactNode {
  const t = useT();
  const denied = useDenied();
  const [asking, setAsking] = useState<TunnelVerb | null>(null);
  const reasonOf = (act: TunnelVerb): string | null => {
    const obstacle = tunnelObstacle(act, tunnel, seen, remoteAddress, isOpen);
    return denied("apply") ?? (obstacle === null ? null : t(OBSTACLE_TEXT[obstacle]));
  };
  return (
    <>
      <div className="hf-actions">
        {only.map((act) => (
          <ReasonButton
            key={act}
            size="sm"
            variant="secondary"
            isDanger={act === "terminate"}
            reason={reasonOf(act)}
            aria-label={`${t(TEXT[act].button)}: ${tunnel}`}
            onClick={() => setAsking(act)}
          >
            {t(TEXT[act].button)}
          </ReasonButton>
        ))}
      </div>
      {asking === null ? null : (
        <TunnelActDialog act={asking} server={server} tunnel={tunnel} onClose={() => setAsking(null)} />
      )}
    </>
  );
}

interface DialogProps {
  readonly act: TunnelVerb;
  readonly server: string;
  readonly tunnel: string;
  readonly onClose: () => void;
}

function TunnelActDialog({ act, server, tunnel, onClose }: DialogProps): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const stepUp = useStepUp();
  const [of, setOf] = useState<TunnelPart>(PARTS[act][0]);
  const [acknowledged, setAcknowledged] = useState<ReadonlySet<string>>(new Set());
  const params = { name: server, tunnel };

  const asked = useQuery({
    queryKey: ["tunnel act", server, tunnel, act, of],
    queryFn: () => call("actOnTunnel", { params, body: { act, of, preview: true } }),
    // What was true a moment ago is no basis for cutting something now.
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });
  const findings = asked.data?.findings ?? [];
  const dangers = findings.filter(({ severity }) => severity === "danger");
  const send = useMutation({
    mutationFn: () =>
      stepUp.around(() =>
        call("actOnTunnel", { params, body: { act, of, acknowledge: dangers.map(({ code }) => code) } }),
      ),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries(),
  });
  const missing =
    asked.data === undefined
      ? t("vpn.act.asking")
      : asked.data.outcome !== "possible"
        ? t("vpn.act.notPossible")
        : dangers.every((finding) => acknowledged.has(findingKey(finding)))
          ? null
          : t("vpn.act.readFirst");

  return (
    <>
      <ActDialog
        title={`${t(TEXT[act].button)}: ${tunnel}`}
        text={t(TEXT[act].ask, { tunnel, server })}
        confirmText={t(TEXT[act].button)}
        danger={act === "terminate"}
        missing={missing}
        isPending={send.isPending}
        error={send.error}
        onConfirm={() => send.mutate()}
        onClose={onClose}
      >
        {PARTS[act].length < 2 ? null : (
          <FormGroup role="radiogroup" fieldId="tunnel-part" label={t("vpn.act.what")} className="hf-dialog-form">
            {PARTS[act].map((part) => (
              <Radio
                key={part}
                id={`tunnel-part-${part}`}
                name="tunnel-part"
                label={t(PART_TEXT[act][part])}
                isChecked={of === part}
                onChange={() => {
                  setOf(part);
                  setAcknowledged(new Set());
                }}
              />
            ))}
          </FormGroup>
        )}
        {asked.isPending ? <Spinner size="md" aria-label={t("vpn.act.asking")} /> : null}
        <ProblemAlert reading error={asked.error} title={t("vpn.act.notAsked")} onRetry={() => void asked.refetch()} />
        <FindingList
          findings={findings}
          acknowledged={acknowledged}
          onAcknowledge={(key, yes) =>
            setAcknowledged((now) => new Set(yes ? [...now, key] : [...now].filter((other) => other !== key)))
          }
        />
      </ActDialog>
      {stepUp.dialog}
    </>
  );
}
