import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";

/**
 * How a request says who it is from. A token or session in the Authorization header is sent by a program on purpose; a cookie is sent by a
 * browser whatever page made it, so it alone proves nothing for a request that changes something.
 */
export type Credential = { readonly kind: "bearer" | "cookie"; readonly secret: string };

const SECURE_COOKIE = "__Host-holdfast";
/** For plain http on this machine: a browser refuses the name above there. */
const PLAIN_COOKIE = "holdfast";

/**
 * Beside the name of either: the one sign-in in several steps that this browser has under way. No other browser can go on with it, and beginning
 * another one ends it.
 */
const SIGN_IN = "-sign-in";

export interface CookieKind {
  readonly name: string;
  readonly signInName: string;
  readonly secure: boolean;
}

export function cookieKind(publicUrl: URL): CookieKind {
  const secure = publicUrl.protocol === "https:";
  const name = secure ? SECURE_COOKIE : PLAIN_COOKIE;
  return { name, signInName: `${name}${SIGN_IN}`, secure };
}

export function readCredential(request: FastifyRequest, cookie: CookieKind): Credential | null {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const found = /^Bearer ([A-Za-z0-9_-]{1,200})$/.exec(header);
    // A header that is there and is none of ours is a wrong credential, never a reason to look at the cookie.
    return { kind: "bearer", secret: found?.[1] ?? "" };
  }
  const secret = request.cookies[cookie.name];
  return secret === undefined ? null : { kind: "cookie", secret };
}

export function secretSha256(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** Bound to the session and derived from it, so that nothing more needs to be kept. */
export function csrfTokenOf(sessionSecret: string): string {
  return createHash("sha256").update("holdfast-csrf-v1\n").update(sessionSecret, "utf8").digest("base64url");
}

export function isCsrfToken(given: string | undefined, sessionSecret: string): boolean {
  const expected = Buffer.from(csrfTokenOf(sessionSecret), "utf8");
  const actual = Buffer.from(given ?? "", "utf8");
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** A browser says so with every request that a page makes; a program on its own has no reason to. */
export function isFromBrowser(request: FastifyRequest): boolean {
  return request.headers.origin !== undefined || request.headers["sec-fetch-site"] !== undefined;
}
