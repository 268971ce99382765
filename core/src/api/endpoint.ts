import { z } from "zod";
import { APPLY_STATES } from "../apply/state.ts";
import {
  auditEntrySchema,
  auditVerifySchema,
  beginEpochSchema,
  beginOidcSchema,
  begunOidcSchema,
  changePasswordSchema,
  createdTokenSchema,
  createTokenSchema,
  createUserSchema,
  doctorRowSchema,
  epochBegunSchema,
  finishedOidcSchema,
  finishOidcSchema,
  identitySchema,
  linkUserSchema,
  loginAnswerSchema,
  loginSchema,
  meSchema,
  offeredTotpSchema,
  oneTimePasswordSchema,
  ownPasswordSchema,
  recoveryCodesSchema,
  roleSchema,
  saveRoleSchema,
  setPermissionsSchema,
  signedInSchema,
  signInMethodsSchema,
  tokenSchema,
  totpCodeSchema,
  userSchema,
} from "./account.ts";
import { acknowledgeSchema, ALERT_LISTS, alertSchema, deliverySchema } from "./alert.ts";
import { applyDetailSchema, applySummarySchema } from "./apply.ts";
import {
  certificateSchema,
  certifiedPersonSchema,
  certifyPersonSchema,
  listedPersonCertificateSchema,
  lookAtRequestSchema,
  seenRequestSchema,
} from "./certificate.ts";
import {
  applyChangeSchema,
  rollbackChangeSchema,
  changeDetailSchema,
  changeEditSchema,
  changeSummarySchema,
  createChangeSchema,
  planChangeSchema,
  rolloutSchema,
} from "./change.ts";
import { commandKeySchema } from "./command-key.ts";
import {
  diffResponseSchema,
  documentSchema,
  documentSummarySchema,
  revisionSchema,
  validateRequestSchema,
  validateResponseSchema,
} from "./document.ts";
import { objectivesSchema } from "./objective.ts";
import { explainRequestSchema, explainResponseSchema } from "./packet.ts";
import {
  addedPasskeySchema,
  addPasskeySchema,
  beginPasskeySchema,
  ceremonySchema,
  passkeySchema,
  removePasskeySchema,
  renamePasskeySchema,
  signInWithPasskeySchema,
  stepUpSchema,
} from "./passkey.ts";
import type { RouteName } from "./route.ts";
import { putSecretSchema, rekeySchema, rotateSecretSchema, secretSchema } from "./secret.ts";
import {
  approveKeySchema,
  createServerSchema,
  effectiveConfigSchema,
  enrolmentSchema,
  liveStateSchema,
  pauseSchema,
  reasonSchema,
  serverDetailSchema,
  serverSummarySchema,
} from "./server.ts";
import { toolAskSchema, toolsSchema } from "./tool.ts";
import { tunnelActedSchema, tunnelActSchema } from "./tunnel-act.ts";

/** What goes in and comes out of one route. Whatever does not fit is refused at the door, answers too. */
export interface Endpoint {
  readonly query?: z.ZodType;
  /** Absent: the route takes no body, or an empty one. */
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  readonly status?: 201 | 202;
  /** The answer holds a secret that is shown once: it is never recorded for a repeated request. */
  readonly secret?: true;
  /** Lives longer than a request: server-sent events. */
  readonly stream?: true;
  /** Editable: If-Match with the resource's ETag is asked for. */
  readonly ifMatch?: true;
}

/** Most items on one page; a client that wants all follows the cursor. */
const PAGE_MOST = 200;
const PAGE_USUAL = 50;
/** Of what a fleet has ten thousand of and a client wants all of at once: as many pages as there are, one after another. */
const LONG_PAGE_MOST = 1000;

const upTo = (most: number) => ({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(most).default(PAGE_USUAL),
});
const paging = upTo(PAGE_MOST);
const longPaging = upTo(LONG_PAGE_MOST);
const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** What entries are wanted; all of it together. */
const auditFilter = {
  object: z.string().optional(),
  actor: z.string().optional().describe("A user's name, or user/ID, agent/ID, system/PART"),
  requestId: z.uuid().optional(),
  server: z.string().optional(),
  action: z.string().max(100).optional().describe("Its beginning: apply. is everything about applies"),
  result: z.string().max(100).optional().describe("ok, or a code; refused: whatever is not ok"),
  text: z.string().max(200).optional().describe("Anywhere in who, from where, what, object or result"),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
} as const;

/** Something was done and there is nothing more to say of it. */
const doneSchema = z.object({ done: z.literal(true) });
const nothingSchema = z.strictObject({}).optional();
const optionalReasonSchema = z.object({ reason: z.string().max(4000).default("") }).default({ reason: "" });

export const ENDPOINTS = {
  login: { body: loginSchema, answer: loginAnswerSchema },
  signInMethods: { answer: signInMethodsSchema },
  beginOidc: { body: beginOidcSchema, answer: begunOidcSchema },
  finishOidc: { body: finishOidcSchema, answer: finishedOidcSchema },
  finishOidcCode: { body: totpCodeSchema, answer: finishedOidcSchema },
  logout: { answer: doneSchema },
  me: { answer: meSchema },
  changePassword: { body: changePasswordSchema, answer: doneSchema },
  offerTotp: { body: ownPasswordSchema, answer: offeredTotpSchema, secret: true },
  confirmTotp: { body: totpCodeSchema, answer: recoveryCodesSchema, secret: true },
  removeTotp: { body: ownPasswordSchema, answer: doneSchema },
  beginPasskeySignIn: { body: nothingSchema, answer: ceremonySchema },
  signInWithPasskey: { body: signInWithPasskeySchema, answer: loginAnswerSchema },
  listPasskeys: { answer: z.object({ items: z.array(passkeySchema) }) },
  beginPasskey: { body: beginPasskeySchema, answer: ceremonySchema },
  addPasskey: { body: addPasskeySchema, answer: addedPasskeySchema, secret: true },
  renamePasskey: { body: renamePasskeySchema, answer: passkeySchema },
  removePasskey: { body: removePasskeySchema, answer: doneSchema },
  beginStepUp: { body: nothingSchema, answer: ceremonySchema },
  stepUp: { body: stepUpSchema, answer: doneSchema },
  listSessions: { answer: z.object({ items: z.array(signedInSchema) }) },
  revokeSession: { answer: doneSchema },
  listIdentities: { answer: z.object({ items: z.array(identitySchema) }) },
  listTokens: { query: z.object(paging), answer: page(tokenSchema) },
  createToken: { body: createTokenSchema, answer: createdTokenSchema, status: 201, secret: true },
  revokeToken: { answer: doneSchema },
  listUsers: { query: z.object(paging), answer: page(userSchema) },
  createUser: { body: createUserSchema, answer: oneTimePasswordSchema, status: 201, secret: true },
  setUserPermissions: { body: setPermissionsSchema, answer: userSchema, ifMatch: true },
  resetUserPassword: { body: nothingSchema, answer: oneTimePasswordSchema, secret: true },
  enableUser: { body: nothingSchema, answer: doneSchema },
  resetUserTotp: { body: nothingSchema, answer: doneSchema },
  listUserSessions: { answer: z.object({ items: z.array(signedInSchema) }) },
  revokeUserSession: { answer: doneSchema },
  listUserIdentities: { answer: z.object({ items: z.array(identitySchema) }) },
  linkUser: { body: linkUserSchema, answer: identitySchema, status: 201 },
  unlinkUser: { answer: doneSchema },
  createService: { body: createUserSchema, answer: userSchema, status: 201 },
  createServiceToken: { body: createTokenSchema, answer: createdTokenSchema, status: 201, secret: true },
  listRoles: { answer: z.object({ items: z.array(roleSchema) }) },
  saveRole: { body: saveRoleSchema, answer: roleSchema, ifMatch: true },
  deleteRole: { answer: doneSchema },
  disableUser: { body: nothingSchema, answer: doneSchema },

  getCommandKey: { answer: commandKeySchema },
  listCertificates: { query: z.object({ ...paging, name: z.string().optional() }), answer: page(certificateSchema) },
  listServers: {
    query: z.object({ ...longPaging, name: z.string().optional(), label: z.string().optional().describe("key=value") }),
    answer: page(serverSummarySchema),
  },
  createServer: { body: createServerSchema, answer: serverDetailSchema, status: 201 },
  getServer: { answer: serverDetailSchema },
  enrolServer: { body: nothingSchema, answer: enrolmentSchema, status: 201, secret: true },
  approveServerKey: { body: approveKeySchema, answer: doneSchema },
  pauseServer: { body: pauseSchema, answer: doneSchema },
  resumeServer: { body: nothingSchema, answer: doneSchema },
  unlockServer: { body: reasonSchema, answer: doneSchema },
  releaseServer: { body: reasonSchema, answer: doneSchema },
  getServerConfig: { answer: effectiveConfigSchema },
  getServerLive: { answer: liveStateSchema },
  listServerApplies: { query: z.object(paging), answer: page(applySummarySchema) },
  watchPackets: { answer: z.unknown(), stream: true },
  listTools: { answer: toolsSchema },
  useTool: { body: toolAskSchema, answer: z.unknown(), stream: true },
  actOnTunnel: { body: tunnelActSchema, answer: tunnelActedSchema },
  explainPacket: { body: explainRequestSchema, answer: explainResponseSchema },

  listDocuments: {
    query: z.object({ ...longPaging, kind: z.string().optional() }),
    answer: page(documentSummarySchema),
  },
  getDocument: { answer: documentSchema },
  listRevisions: { query: z.object(paging), answer: page(revisionSchema) },
  diffRevisions: {
    query: z.object({ from: z.coerce.number().int().min(0), to: z.coerce.number().int().min(0) }),
    answer: diffResponseSchema,
  },
  validateDocuments: { body: validateRequestSchema, answer: validateResponseSchema },
  getSchema: { answer: z.record(z.string(), z.unknown()) },

  listSecrets: { query: z.object(paging), answer: page(secretSchema) },
  putSecret: { body: putSecretSchema, answer: secretSchema, ifMatch: true },
  deleteSecret: { answer: doneSchema, ifMatch: true },
  rotateSecret: { body: rotateSecretSchema, answer: changeDetailSchema, status: 201 },
  rekeySecrets: { body: nothingSchema, answer: rekeySchema },
  lookAtPersonRequest: { body: lookAtRequestSchema, answer: seenRequestSchema },
  certifyPerson: { body: certifyPersonSchema, answer: certifiedPersonSchema, status: 201 },
  listCertifiedPeople: { query: z.object(paging), answer: page(listedPersonCertificateSchema) },

  listChanges: { query: z.object(paging), answer: page(changeSummarySchema) },
  createChange: { body: createChangeSchema, answer: changeDetailSchema, status: 201 },
  getChange: { answer: changeDetailSchema },
  editChange: { body: changeEditSchema, answer: changeDetailSchema, ifMatch: true },
  planChange: { body: planChangeSchema.default({ trial: {} }), answer: changeDetailSchema },
  applyChange: { body: applyChangeSchema, answer: rolloutSchema, status: 202 },
  withdrawChange: { body: optionalReasonSchema, answer: doneSchema },
  approveChange: {
    body: z.object({ digest: z.string().describe("Of the change as it was read") }),
    answer: changeDetailSchema,
  },
  withdrawApproval: { body: nothingSchema, answer: doneSchema },
  planRollback: { body: nothingSchema, answer: changeDetailSchema },
  rollbackChange: { body: rollbackChangeSchema, answer: rolloutSchema, status: 202 },

  listRollouts: { query: z.object(paging), answer: page(rolloutSchema) },
  getRollout: { answer: rolloutSchema },
  pauseRollout: { body: optionalReasonSchema, answer: rolloutSchema },
  resumeRollout: { body: optionalReasonSchema, answer: rolloutSchema },
  haltRollout: { body: optionalReasonSchema, answer: rolloutSchema },

  listApplies: {
    query: z.object({ ...paging, state: z.enum(APPLY_STATES).optional(), server: z.string().optional() }),
    answer: page(applySummarySchema),
  },
  getApply: { answer: applyDetailSchema },
  confirmApply: { body: nothingSchema, answer: applyDetailSchema, status: 202 },
  abortApply: { body: optionalReasonSchema, answer: applyDetailSchema, status: 202 },
  retryApply: { body: nothingSchema, answer: rolloutSchema, status: 202 },
  rollbackApply: { body: nothingSchema, answer: rolloutSchema, status: 202 },
  forceCloseApply: { body: reasonSchema, answer: applyDetailSchema, status: 202 },

  listAlerts: {
    query: z.object({ ...paging, state: z.enum(ALERT_LISTS).default("standing") }),
    answer: page(alertSchema),
  },
  getAlert: { answer: alertSchema },
  listDeliveries: { query: z.object(paging), answer: page(deliverySchema) },
  acknowledgeAlert: { body: acknowledgeSchema, answer: alertSchema },

  listObjectives: { answer: objectivesSchema },

  listAudit: { query: z.object({ ...paging, ...auditFilter }), answer: page(auditEntrySchema) },
  exportAudit: {
    query: z.object({ format: z.enum(["jsonl", "csv"]).default("jsonl"), ...auditFilter }),
    answer: z.unknown(),
    stream: true,
  },
  verifyAudit: {
    query: z.object({
      kept: z
        .string()
        .regex(/^\d{1,15}:[0-9a-f]{64}$/)
        .optional()
        .describe("ENTRIES:HEAD that you kept, from the log stream say"),
    }),
    answer: auditVerifySchema,
  },
  beginAuditEpoch: { body: beginEpochSchema, answer: epochBegunSchema },
  doctor: { answer: z.object({ rows: z.array(doctorRowSchema) }) },
  events: { answer: z.unknown(), stream: true },
  openapi: { answer: z.record(z.string(), z.unknown()) },
} as const satisfies Record<RouteName, Endpoint>;

type Member<Name extends RouteName, Key extends keyof Endpoint> =
  (typeof ENDPOINTS)[Name] extends Readonly<Record<Key, infer Schema extends z.ZodType>> ? Schema : undefined;
type Read<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export type QueryOf<Name extends RouteName> = Read<Member<Name, "query">>;
export type BodyOf<Name extends RouteName> = Read<Member<Name, "body">>;
/** What a handler gives; the schema is then asked whether it is that. */
export type AnswerOf<Name extends RouteName> = z.input<(typeof ENDPOINTS)[Name]["answer"]>;
