import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { chatText, type Notification } from "@holdfast/core/alert/notification.ts";
import { guardedLookup } from "./address-guard.ts";
import type { Hook } from "./channels.ts";

/** What came of one try; `status` in the receiver's own protocol. */
export type Told =
  /** `but`: some of those it was for did not get it. */
  | { readonly ok: true; readonly status: number; readonly but?: string }
  | { readonly ok: false; readonly status: number | null; readonly error: string };

/** A receiver that is well answers at once; one that hangs is tried again. */
export const ANSWER_WITHIN_MS = 10_000;

/** `v1=` HMAC-SHA256 of `TIMESTAMP.BODY`, in hex: the time is signed too, so that an old message cannot be sent again unseen. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

/** Sends once. Redirects are not followed and the answer's body is not read: what is kept of it is its status. */
export function post(
  channel: Hook,
  delivery: string,
  about: Notification,
  nowMs: number,
  stop: AbortSignal,
  withinMs: number = ANSWER_WITHIN_MS,
): Promise<Told> {
  const body = JSON.stringify(channel.kind === "slack" ? { text: chatText(about) } : { delivery, ...about });
  const timestamp = String(Math.floor(nowMs / 1_000));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "user-agent": "holdfast",
  };
  if (channel.secret !== null) {
    headers["holdfast-delivery"] = delivery;
    headers["holdfast-timestamp"] = timestamp;
    headers["holdfast-signature"] = signatureOf(channel.secret, timestamp, body);
  }
  const { promise, resolve } = Promise.withResolvers<Told>();
  const signal = AbortSignal.any([stop, AbortSignal.timeout(withinMs)]);
  const send = channel.url.protocol === "https:" ? httpsRequest : httpRequest;
  const sent = send(channel.url, { method: "POST", headers, lookup: guardedLookup, agent: false, signal }, (answer) => {
    const status = answer.statusCode ?? 0;
    answer.destroy();
    if (status >= 200 && status < 300) resolve({ ok: true, status });
    else
      resolve({
        ok: false,
        status,
        error: status >= 300 && status < 400 ? "it redirects, which is not followed" : "it refused",
      });
  });
  sent.on("error", (error) =>
    resolve({
      ok: false,
      status: null,
      error: error.name === "AbortError" || error.name === "TimeoutError" ? "no answer in time" : error.message,
    }),
  );
  sent.end(body);
  return promise;
}
