import {
  type AlertId,
  type ApplyId,
  type ChangeId,
  isUuid,
  type PasskeyId,
  type RolloutId,
  type TokenId,
} from "@holdfast/core/base/id.ts";
import { notFound } from "./refused.ts";

/** Ids from outside. What is no id at all is simply not there. */
export const changeId = (text: string): ChangeId =>
  isUuid(text) ? (text as ChangeId) : notFound("change with this id");
export const rolloutId = (text: string): RolloutId =>
  isUuid(text) ? (text as RolloutId) : notFound("rollout with this id");
export const applyId = (text: string): ApplyId => (isUuid(text) ? (text as ApplyId) : notFound("apply with this id"));
export const tokenId = (text: string): TokenId => (isUuid(text) ? (text as TokenId) : notFound("token with this id"));
export const alertId = (text: string): AlertId => (isUuid(text) ? (text as AlertId) : notFound("alert with this id"));
export const identityId = (text: string): string => (isUuid(text) ? text : notFound("link with this id"));
export const passkeyId = (text: string): PasskeyId =>
  isUuid(text) ? (text as PasskeyId) : notFound("passkey with this id");
