import type { Step } from "@holdfast/core/plan/step.ts";
import { certificatesIn, wantedOf } from "./conn.ts";
import { recordOf } from "./diff.ts";
import type { VpnObserved } from "./facts.ts";
import { liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import { recordText } from "./record.ts";
import { bootTextOrNone } from "./render.ts";
import { unloadKeySteps } from "./restore.ts";
import { bootFileStep, bootKeysStep, recordStep } from "./step.ts";

/**
 * What is confirmed becomes what strongSwan loads by itself. Keys come before the tunnels that need them and go after them; only now is a key
 * that nothing uses any more taken out of the daemon, since until the confirmation an undo would have needed it.
 */
export function persistVpn(config: VpnConfig | null, observed: VpnObserved): readonly Step[] {
  const wanted = wantedOf(config);
  const keys = wanted.map(({ key }) => key);
  const text = bootTextOrNone(wanted);
  const record = recordText(recordOf(wanted));
  const unused = (liveOf(observed)?.keys ?? []).filter((id) => !keys.some((key) => key.id === id));
  const file = observed.boot === text ? [] : [bootFileStep(text)];
  return [
    ...(keys.length > 0
      ? [bootKeysStep(keys, certificatesIn(wanted.map(({ conn }) => conn))), ...file]
      : [...file, ...(observed.swanctl ? [bootKeysStep([], [])] : [])]),
    ...unloadKeySteps(unused),
    ...(observed.recordText === record ? [] : [recordStep("record", record)]),
  ];
}
