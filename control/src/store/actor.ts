import type { InstanceId, ServerId, UserId } from "@holdfast/core/base/id.ts";

/** Who makes a change of the store, for the audit log and the apply's events. */
export interface Actor {
  /** `user/<id>`, `agent/<server id>` or `system/<part>`. */
  readonly actor: string;
  /** Where it came from: an address and the kind of session, or the instance. */
  readonly source: string;
  readonly instanceId: InstanceId | null;
}

export function userActor(id: UserId, source: string, instanceId: InstanceId): Actor {
  return { actor: `user/${id}`, source, instanceId };
}

export function agentActor(id: ServerId, source: string, instanceId: InstanceId): Actor {
  return { actor: `agent/${id}`, source, instanceId };
}

/** A part of the control plane acting by itself, for example `saga` or `reconciler`. */
export function systemActor(part: string, instanceId: InstanceId): Actor {
  return { actor: `system/${part}`, source: `instance/${instanceId}`, instanceId };
}
