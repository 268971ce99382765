/** A real OpenID Connect provider on loopback, whose answers can be held back or made to lie, and a person with a browser who goes there. */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-expect-error -- it comes without types; what is used of it is said below
import UntypedProvider from "oidc-provider";

export const CLIENT_ID = "holdfast";
export const CLIENT_SECRET = "a secret of the client, long enough for anybody";

/** What is done to the ID token on its way. */
export type Lie = (claims: Record<string, unknown>, resign: Resign) => string;
type Resign = (claims: Record<string, unknown>, with_?: { readonly key?: KeyObject; readonly alg?: string }) => string;

export interface IdentityProvider {
  readonly issuer: string;
  /** Null: the truth. */
  lie: Lie | null;
  /** Answers to this path wait for `release`. */
  hold: string | null;
  release(): void;
  /** What this person has in claims beside the subject. */
  readonly claims: Map<string, Record<string, unknown>>;
  /** Signs with a new key from here on; the old one is gone. */
  rotateKeys(): Promise<void>;
  /** A person signs in there; where the provider then sends the browser. `login` null: they press Cancel. */
  person(url: string, login: string | null): Promise<URL>;
  close(): Promise<void>;
}

interface Context {
  readonly path: string;
  readonly body: unknown;
}

interface Provider {
  callback(): RequestListener;
  use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
}

const ProviderOf = UntypedProvider as unknown as new (
  issuer: string,
  configuration: Readonly<Record<string, unknown>>,
) => Provider;

interface Signing {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

function newSigning(): Signing {
  return { kid: randomUUID(), privateKey: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey };
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function signJwt(claims: Record<string, unknown>, { kid, privateKey }: Signing, alg = "RS256"): string {
  const text = `${base64url({ alg, kid })}.${base64url(claims)}`;
  if (alg === "none") return `${text}.`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** `host`: what it is called; a browser takes `localhost` and `127.0.0.1` for two sites. */
export async function startProvider(redirectUri: string, host = "127.0.0.1"): Promise<IdentityProvider> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`;
  const claims: IdentityProvider["claims"] = new Map();
  let signing = newSigning();
  let released = Promise.withResolvers<void>();
  const made: IdentityProvider = {
    issuer,
    lie: null,
    hold: null,
    release: () => {
      released.resolve();
      released = Promise.withResolvers<void>();
    },
    claims,
    async rotateKeys() {
      signing = newSigning();
      answerWith(provider());
    },
    person: (url, login) => person(issuer, url, login),
    async close() {
      made.release();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  const provider = (): Provider => {
    const one = new ProviderOf(issuer, {
      clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [redirectUri] }],
      jwks: { keys: [{ ...signing.privateKey.export({ format: "jwk" }), kid: signing.kid, use: "sig", alg: "RS256" }] },
      findAccount: async (_: unknown, id: string) => ({
        accountId: id,
        claims: async () => ({ sub: id, ...claims.get(id) }),
      }),
      claims: { openid: ["sub", "groups"], profile: ["preferred_username"], email: ["email", "email_verified"] },
      conformIdTokenClaims: false,
      // Said, so that it does not say that it was not.
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 3_600 },
      cookies: { keys: ["one key of the test"] },
      // Its own pages to sign in with any name, meant for tests.
      features: { devInteractions: { enabled: true } },
    });
    one.use(async (context, next) => {
      const { path } = context;
      await next();
      if (made.hold === path) await released.promise;
      const body = context.body as { id_token?: string } | null;
      if (path !== "/token" || made.lie === null || typeof body?.id_token !== "string") return;
      const truth = JSON.parse(Buffer.from(body.id_token.split(".")[1] ?? "", "base64url").toString()) as Record<
        string,
        unknown
      >;
      const resign: Resign = (said, { key = signing.privateKey, alg = "RS256" } = {}) =>
        signJwt(said, { kid: signing.kid, privateKey: key }, alg);
      body.id_token = made.lie(truth, resign);
    });
    return one;
  };
  const answerWith = (one: Provider): void => {
    server.removeAllListeners("request");
    server.on("request", one.callback());
  };
  answerWith(provider());
  return made;
}

/** A browser as far as the provider needs one: follows redirects there, keeps cookies, fills in the two forms. */
async function person(issuer: string, url: string, login: string | null): Promise<URL> {
  const cookies = new Map<string, string>();
  let at = new URL(url);
  let form: Record<string, string> | null = null;
  for (let step = 0; step < 20; step++) {
    if (at.origin !== issuer) return at;
    const answer: Response = await fetch(at, {
      redirect: "manual",
      method: form === null ? "GET" : "POST",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === null ? {} : { body: new URLSearchParams(form) }),
    });
    form = null;
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location !== null) {
      at = new URL(location, at);
      continue;
    }
    const page = await answer.text();
    if (login === null) at = new URL(`${at.pathname}/abort`, at);
    else if (page.includes('name="login"')) form = { prompt: "login", login, password: "any" };
    else if (page.includes('value="consent"')) form = { prompt: "consent" };
    else throw new Error(`the provider shows something else: ${answer.status} ${page.slice(0, 2_000)}`);
  }
  throw new Error("the provider does not come to an end");
}
