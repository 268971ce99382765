import { type FloorStanding, floorWords } from "../floor/standing.ts";
/** Which conditions hold now, from rows alone. No clock, no database: whoever looks brings the facts, and the same facts say the same. */
import { RENEW_BEFORE_SECONDS } from "../secret/rotation.ts";
import type { AlertFacts, AuditBreak, InstanceFact, OpenApplyFact, PersonCertificateFact } from "./facts.ts";
import { failureRate } from "./failure-rate.ts";
import { ALERT_KINDS, type AlertKind } from "./kind.ts";

/** Something that is so and that somebody should know. `subject` names it for ever: the same condition has the same subject at every look. */
export interface Condition {
  readonly kind: AlertKind;
  /** `apply/<id>`, `server/<id>`, `change/<id>`, `passkey/<id>`, `secret/<name>`, `tunnel/<name>`, `instance/<id>`, `audit/epoch/<number>` or `house`. */
  readonly subject: string;
  readonly serverId: string | null;
  readonly applyId: string | null;
  /** A whole sentence for a person, with names and numbers. */
  readonly message: string;
}

/** After its window a server has undone by itself and only its word is on the way; well below the minute after which the undo is decided. */
export const STUCK_AFTER_WINDOW_MS = 15_000;
/** An apply that was claimed and has not even been told to begin: the server answers in seconds, or is away. */
export const NOT_BEGUN_MS = 120_000;
/** A fresh session after a change takes a few seconds; a doubt that lasts is for a person. */
export const IN_DOUBT_MS = 30_000;
/** Refusals of the last quarter of an hour. */
export const REFUSED_WITHIN_MS = 15 * 60_000;
/** Of many people whose certificates end, these are told by name. */
const PEOPLE_NAMED = 5;
/** A reboot of a slow server takes this long. */
export const AWAY_MS = 5 * 60_000;
/** Agents renew at half of seven days: one with less than two days left has failed to for a day and a half. */
export const EXPIRING_WITHIN_MS = 2 * 24 * 3_600_000;
/** PostgreSQL stops when its disk is full, and takes half a gigabyte for its log alone. */
const DISK_FREE_LEAST_BYTES = 1 << 30;
const DISK_FREE_LEAST_SHARE = 0.05;
const CONNECTIONS_MOST_SHARE = 0.9;
/** Autovacuum works against it from 0.2 thousand million on; at 1.2 it has not kept up for long. */
const TRANSACTION_AGE_MOST = 1_200_000_000;
/** A fleet's worth of names is no sentence; the verification has them all. */
const SERVERS_NAMED = 5;
/** Whoever is away for some days hears of it. */
export const EPOCH_TOLD_MS = 7 * 24 * 3_600_000;
/** Long enough that somebody sees it who looks at this every now and then. */
export const FLOOR_REPAIRED_TOLD_MS = 60 * 60_000;
/** A switch-over of a database takes a few seconds; one lost heartbeat says nothing. */
const DATABASE_AWAY_SECONDS = 15;

export function detect(facts: AlertFacts): readonly Condition[] {
  return ALERT_KINDS.flatMap((kind) => DETECTORS[kind](facts).map((found): Condition => ({ kind, ...found })));
}

/** Whether nobody can say now if it is so: what stands of it stays. */
export function notKnown({ audit, instances }: AlertFacts): (alert: Pick<Condition, "kind" | "subject">) => boolean {
  const unseen = new Set(instances.filter((one) => diskOf(one) === null).map(subjectOf));
  return ({ kind, subject }) =>
    (kind === "audit-broken" && audit.state === "not_known") || (kind === "disk-low" && unseen.has(subject));
}

type Found = Omit<Condition, "kind">;

const DETECTORS = {
  "apply-stuck": ({ open, nowMs }) =>
    open
      .filter((apply) => isStuck(apply, nowMs))
      .map((apply) =>
        ofApply(
          apply,
          `${apply.server} has been ${apply.state} for ${minutes(nowMs - apply.beganMs)}, longer than its whole window. It waits for ${apply.waitingFor}.`,
        ),
      ),

  "concurrent-applies": ({ refused }) =>
    refused.map(({ serverId, server, count, lastActor }) => ({
      subject: serverId === null ? "house" : `server/${serverId}`,
      serverId,
      applyId: null,
      message: `${count === 1 ? "One apply was" : `${count} applies were`} refused${server === null ? "" : ` on ${server}`} in the last quarter of an hour because another one was under way; the last by ${lastActor}.`,
    })),

  "failure-rate": ({ hours }) => {
    const { isSpike, failed, ended, usual } = failureRate(hours);
    if (!isSpike) return [];
    return [
      ofHouse(
        `${failed} of the ${ended} applies that ended in the last hour failed or were undone; usually it is ${percent(usual)}.`,
      ),
    ];
  },

  "rollback-failed": ({ left }) =>
    left.map(({ serverId, server, applyId, effect, code }) => ({
      subject: `server/${serverId}`,
      serverId,
      applyId,
      message:
        effect === "restore_failed"
          ? `${server} could not be put back to what it was (${code}). It is locked until somebody has looked.`
          : `Nobody knows what an apply left on ${server} (${code}). It is locked until somebody has looked.`,
    })),

  "in-doubt": ({ open, nowMs }) =>
    open
      .filter(({ inDoubtSinceMs }) => inDoubtSinceMs !== null && nowMs - inDoubtSinceMs >= IN_DOUBT_MS)
      .map((apply) =>
        ofApply(
          apply,
          `${apply.server} has not said for ${minutes(nowMs - (apply.inDoubtSinceMs ?? nowMs))} what became of its ${apply.state} apply. It waits for ${apply.waitingFor}.`,
        ),
      ),

  // What was put back is told for a while: whoever flushed it once may do so again.
  "floor-lost": ({ floors, nowMs }) =>
    floors.flatMap(({ serverId, server, floor, sinceMs }) => {
      const told = Object.entries<FloorStanding>(floor).filter(
        ([, { lost }]) => lost.length > 0 || nowMs - sinceMs < FLOOR_REPAIRED_TOLD_MS,
      );
      if (told.length === 0) return [];
      const words = told.map(([domain, standing]) => floorWords(domain, standing)).join("; ");
      const isLost = told.some(([, { lost }]) => lost.length > 0);
      return [
        ofServer(
          serverId,
          isLost
            ? `${server} lost what lets management in, outside of any change: ${words}.`
            : `${server} had lost what lets management in, outside of any change, and has it back: ${words}.`,
        ),
      ];
    }),

  drift: ({ drifted }) =>
    drifted.map(({ serverId, server, domains }) =>
      ofServer(serverId, `${server} is not what was confirmed: ${domains.toSorted().join(", ")}.`),
    ),

  "agent-lost": ({ away, nowMs }) =>
    away
      .filter(({ sinceMs }) => nowMs - sinceMs >= AWAY_MS)
      .map(({ serverId, server, sinceMs }) =>
        ofServer(
          serverId,
          `The agent of ${server} has not been connected since ${new Date(sinceMs).toISOString()}. What is in force there stays in force.`,
        ),
      ),

  "certificate-expiring": ({ expiring, nowMs }) =>
    expiring
      .filter(({ notAfterMs }) => notAfterMs - nowMs < EXPIRING_WITHIN_MS)
      .map(({ serverId, server, notAfterMs }) =>
        ofServer(
          serverId,
          notAfterMs > nowMs
            ? `The certificate of ${server}'s agent ends ${new Date(notAfterMs).toISOString()} and was not renewed at half its life. It will be shut out then.`
            : `The certificate of ${server}'s agent ended ${new Date(notAfterMs).toISOString()}. The server is shut out until it is enrolled again.`,
        ),
      ),

  "glass-broken": ({ unapproved }) =>
    unapproved.map(({ changeId, title, by, reason, needed, given }) => ({
      subject: `change/${changeId}`,
      serverId: null,
      applyId: null,
      message: `${by} applied "${title}" with ${given} of ${needed} approvals, because: ${reason}. It waits for the approvals that are missing, or to be rolled back.`,
    })),

  "passkey-copied": ({ copied }) =>
    copied.map(({ passkeyId, passkey, account, lastMs }) => ({
      subject: `passkey/${passkeyId}`,
      serverId: null,
      applyId: null,
      message: `The passkey "${passkey}" of ${account} was shown with a counter that had not gone on, last ${new Date(lastMs).toISOString()}: there may be a copy of it. It waits to be removed, or for somebody else than ${account} to look.`,
    })),

  // A secret that two tunnels name, or one whose ends are at two versions, is one thing to do.
  "key-due": ({ keys, people, nowMs }) => {
    const due = keys.filter((key) => key.dueMs <= nowMs).toSorted((a, b) => a.dueMs - b.dueMs);
    const secrets = [...new Set(due.map(({ secret }) => secret))].flatMap((secret): readonly Found[] => {
      const [oldest, ...more] = due.filter((key) => key.secret === secret);
      if (oldest === undefined) return [];
      const { version, madeMs, dueMs } = oldest;
      const tunnels = [...new Set([oldest, ...more].map(({ tunnel }) => tunnel))].join(", ");
      const message = `Version ${version} of the key of ${tunnels} was made ${new Date(madeMs).toISOString()} and was to be replaced by ${new Date(dueMs).toISOString()}. It stays in force until somebody does: holdfast secret rotate ${secret}.`;
      return [{ subject: `secret/${secret}`, serverId: null, applyId: null, message }];
    });
    return [...secrets, ...peopleDue(people, nowMs)];
  },

  "audit-broken": ({ audit }) => {
    if (audit.state !== "broken") return [];
    return [ofHouse(`The audit log ${BROKEN[audit.reason](audit.entry)} It was changed outside of Holdfast.`)];
  },

  "audit-heads": ({ accusing }) => {
    if (accusing.length === 0) return [];
    const most = Math.max(...accusing.map(({ entries }) => entries));
    const named = accusing.slice(0, SERVERS_NAMED).map(({ server }) => server);
    const more = accusing.length - named.length;
    const who = more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
    const what = accusing.some(({ standing }) => standing === "forked")
      ? "it was written anew, or an older one was put back and went on"
      : "it was cut off, or an older one was put back";
    return [
      ofHouse(
        `The audit log is not the one that ${accusing.length === 1 ? "a server keeps a head of" : `${accusing.length} servers keep heads of`} (${who}; up to ${most} entries): ${what}.`,
      ),
    ];
  },

  "audit-epoch": ({ epoch, nowMs }) => {
    if (epoch === null || nowMs - epoch.beganMs >= EPOCH_TOLD_MS) return [];
    const { epoch: number, entries, by, reason, beganMs } = epoch;
    return [
      {
        subject: `audit/epoch/${number}`,
        serverId: null,
        applyId: null,
        message: `${by} accepted the audit log as it was ${new Date(beganMs).toISOString()}, with ${entries} entries, although more of it or another one was kept elsewhere (epoch ${number}), because: ${reason}. This stands for a week.`,
      },
    ];
  },

  // Several instances may stand behind one address, each with a disk of its own.
  "disk-low": ({ instances }) =>
    instances.flatMap((instance) => {
      const disk = diskOf(instance);
      if (disk === null || (disk.free >= DISK_FREE_LEAST_BYTES && disk.free / disk.total >= DISK_FREE_LEAST_SHARE))
        return [];
      return [
        {
          subject: subjectOf(instance),
          serverId: null,
          applyId: null,
          message: `The disk with the data of the control plane at ${instance.address} (on ${instance.host ?? "a machine without a name"}, instance ${instance.instanceId}) has ${gibibytes(disk.free)} of ${gibibytes(disk.total)} left. When it is full, the database stops.`,
        },
      ];
    }),

  "database-trouble": ({ database }) => {
    const troubles: string[] = [];
    if (database.checksumFailures > 0)
      troubles.push(`${database.checksumFailures} pages on its disk are not what was written`);
    if (database.connections >= database.connectionsMost * CONNECTIONS_MOST_SHARE)
      troubles.push(`${database.connections} of its ${database.connectionsMost} connections are in use`);
    if (database.oldestTransactionAge >= TRANSACTION_AGE_MOST)
      troubles.push(
        `its oldest rows are ${Math.round(database.oldestTransactionAge / 1_000_000)} million transactions old, vacuum does not keep up`,
      );
    if (database.awaySeconds >= DATABASE_AWAY_SECONDS)
      troubles.push(`it could not be reached for ${Math.round(database.awaySeconds)} s`);
    return troubles.length === 0 ? [] : [ofHouse(`The database: ${troubles.join("; ")}.`)];
  },
} as const satisfies Record<AlertKind, (facts: AlertFacts) => readonly Found[]>;

const BROKEN = {
  position: (entry) => `is broken at entry ${entry} (position).`,
  previous: (entry) => `is broken at entry ${entry} (previous).`,
  content: (entry) => `is broken at entry ${entry} (content).`,
  cut_off: (entry) => `was cut off before entry ${entry}: a signed head knows more entries than there are.`,
  rewritten: (entry) => `was written anew from entry ${entry} on or later: a signed head is not in it.`,
  forged_checkpoint: (entry) => `has a head over ${entry} entries beside it that this house has not signed.`,
} as const satisfies Record<AuditBreak, (entry: number) => string>;

/** Null when it could not be asked. */
function diskOf({ diskFreeBytes: free, diskTotalBytes: total }: InstanceFact): { free: number; total: number } | null {
  return free === null || total === null || total === 0 ? null : { free, total };
}

function subjectOf({ instanceId }: InstanceFact): string {
  return `instance/${instanceId}`;
}

/** On trial is not stuck: only what has outlasted steps and trial together, or was never begun. */
function isStuck({ executedMs, beganMs, longestMs }: OpenApplyFact, nowMs: number): boolean {
  if (executedMs === null) return nowMs - beganMs >= NOT_BEGUN_MS;
  return nowMs - executedMs >= longestMs + STUCK_AFTER_WINDOW_MS;
}

/** One for each tunnel: whoever sees to one person sees to the next. */
function peopleDue(people: readonly PersonCertificateFact[], nowMs: number): readonly Found[] {
  const due = people.filter(({ notAfterMs }) => notAfterMs - RENEW_BEFORE_SECONDS * 1_000 <= nowMs);
  return [...Map.groupBy(due, ({ tunnel }) => tunnel)].map(([tunnel, own]) => {
    const named = own.toSorted((a, b) => a.notAfterMs - b.notAfterMs).slice(0, PEOPLE_NAMED);
    const list = named.map(({ person, notAfterMs }) => {
      const day = new Date(notAfterMs).toISOString().slice(0, 10);
      return notAfterMs <= nowMs ? `${person} (ended ${day})` : `${person} (${day})`;
    });
    const more = own.length - named.length;
    const who = more === 0 ? list.join(", ") : `${list.join(", ")} and ${more} more`;
    const message = `Certificates of people of ${tunnel} end: ${who}. Who has none that is good is turned away. Ask for a request of their device, and: holdfast tunnel certify ${tunnel} PERSON --request FILE.`;
    return { subject: `tunnel/${tunnel}`, serverId: null, applyId: null, message };
  });
}

function ofApply({ applyId, serverId }: OpenApplyFact, message: string): Found {
  return { subject: `apply/${applyId}`, serverId, applyId, message };
}

function ofServer(serverId: string, message: string): Found {
  return { subject: `server/${serverId}`, serverId, applyId: null, message };
}

function ofHouse(message: string): Found {
  return { subject: "house", serverId: null, applyId: null, message };
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / (1 << 30)).toFixed(1)} GiB`;
}
