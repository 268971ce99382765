/**
 * What is said to the provider, and what is believed of its answers: a code for this client, by the flow with PKCE, an ID token whose signature
 * is looked at although it came over TLS, from this issuer, for this client, with this sign-in's nonce. Each question has an end. Nothing is
 * kept between two sign-ins, so a provider that has moved or has new keys is believed at the next one.
 */
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import * as oidc from "openid-client";
import { whyProviderRefused } from "./provider-address.ts";
import type { OidcSettings } from "./settings.ts";

export interface ProviderOptions {
  readonly settings: OidcSettings;
  /** Where the provider sends people back to. */
  readonly redirectUri: string;
  readonly nowMs: () => number;
  /** Of each question. */
  readonly withinMs?: number;
}

export interface ProviderTrouble {
  readonly code: "account.busy" | "oidc.provider_unreachable" | "oidc.provider_refused" | "oidc.token_invalid";
  /** For the log: it may quote the provider. */
  readonly internal: string;
}

/** What a browser brings back. */
export interface Returned {
  readonly state: string;
  readonly code?: string | undefined;
  readonly iss?: string | undefined;
  readonly error?: string | undefined;
}

export interface Claims {
  readonly subject: string;
  readonly all: Readonly<Record<string, unknown>>;
}

export interface OidcProvider {
  readonly settings: OidcSettings;
  /** Where to send the browser. Asks the provider where that is. */
  begin(): Promise<Result<{ url: URL; state: string; nonce: string; verifier: string }, ProviderTrouble>>;
  /** Exchanges the code, and says who it is. */
  redeem(
    returned: Returned,
    expected: { readonly state: string; readonly nonce: string; readonly verifier: string },
  ): Promise<Result<Claims, ProviderTrouble>>;
}

/** A person waits, and a request of theirs is asked three questions: longer, and they have pressed again. */
const ANSWER_WITHIN_MS = 5_000;
/** Anybody may begin a sign-in; more at the same time than people would is not passed on to the provider. */
const AT_ONCE = 20;
/** A set of keys has a few kilobytes. */
const ANSWER_BYTES = 1 << 20;
/** Between the provider's clock and ours. NTP keeps both within one; a machine that just woke up is a little off. */
const CLOCK_TOLERANCE_S = 60;

/** OpenID Connect Core 1.0, §2: at most 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
/** The page of the console that takes the browser back in. Registered at the provider: it stays. */
export const OIDC_PATH = "/login/oidc";

export function oidcProvider(options: ProviderOptions): OidcProvider {
  const { settings, redirectUri } = options;
  let running = 0;
  const inTurn = async <T>(work: (provider: oidc.Configuration) => Promise<T>): Promise<Result<T, ProviderTrouble>> => {
    if (running >= AT_ONCE) return err({ code: "account.busy", internal: `${running} sign-ins ask the provider` });
    running += 1;
    try {
      return await asking(options, work);
    } finally {
      running -= 1;
    }
  };
  return {
    settings,
    begin: () =>
      inTurn(async (provider) => {
        const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
        const url = oidc.buildAuthorizationUrl(provider, {
          redirect_uri: redirectUri,
          scope: "openid profile email",
          state,
          nonce,
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        });
        // A page of ours goes there: never to a script, and never in the clear.
        const refused = whyProviderRefused(url);
        if (refused !== null) throw new Error(`authorization_endpoint: ${refused}`);
        return { url, state, nonce, verifier };
      }),
    redeem: (returned, expected) =>
      inTurn(async (provider) => {
        const tokens = await oidc.authorizationCodeGrant(provider, returnedUrl(redirectUri, returned), {
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          pkceCodeVerifier: expected.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Error("no ID token");
        if (!SUBJECT.test(claims.sub)) throw new Error("the subject is not what a subject may be");
        return { subject: claims.sub, all: claims };
      }),
  };
}

async function asking<T>(
  { settings, nowMs, withinMs = ANSWER_WITHIN_MS }: ProviderOptions,
  work: (provider: oidc.Configuration) => Promise<T>,
): Promise<Result<T, ProviderTrouble>> {
  let unreachable: string | null = null;
  const isPlain = settings.issuer.protocol === "http:";
  try {
    const provider = await oidc.discovery(
      settings.issuer,
      settings.clientId,
      {
        [oidc.clockTolerance]: CLOCK_TOLERANCE_S,
        [oidc.clockSkew]: Math.round((nowMs() - Date.now()) / 1000),
      },
      oidc.ClientSecretBasic(settings.clientSecret),
      {
        execute: [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])],
        [oidc.customFetch]: (url, init) =>
          bounded(url, init, withinMs, (reason) => {
            unreachable = reason;
          }),
      },
    );
    return ok(await work(provider));
  } catch (error) {
    if (unreachable !== null) return err({ code: "oidc.provider_unreachable", internal: unreachable });
    if (error instanceof oidc.AuthorizationResponseError)
      return err({ code: "oidc.provider_refused", internal: `the provider answered ${error.error}` });
    return err({ code: "oidc.token_invalid", internal: wordsOf(error) });
  }
}

/** One question: only where a provider may stand, no way elsewhere, no answer without an end. */
async function bounded(
  url: string,
  init: oidc.CustomFetchOptions,
  withinMs: number,
  onUnreachable: (reason: string) => void,
): Promise<Response> {
  const refused = whyProviderRefused(new URL(url));
  if (refused !== null) throw new Error(`${url}: ${refused}`);
  try {
    const { body, method, headers } = init;
    const answer = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(withinMs),
      ...(body === undefined || body === null ? {} : { body: body as NonNullable<RequestInit["body"]> }),
    });
    if (answer.status >= 500) onUnreachable(`${new URL(url).pathname} answered ${answer.status}`);
    const bytes = await readMost(answer);
    const { status, headers: answered } = answer;
    return new Response(bytes.length === 0 ? null : bytes, { status, headers: answered });
  } catch (error) {
    onUnreachable(wordsOf(error));
    throw error;
  }
}

async function readMost(answer: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (answer.body !== null)
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > ANSWER_BYTES) throw new Error(`the answer has more than ${ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
  return Uint8Array.from(Buffer.concat(chunks));
}

/** As the provider would send it: the library takes it apart. */
function returnedUrl(redirectUri: string, { state, code, iss, error }: Returned): URL {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ code, state, iss, error }))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${cause}`;
}
