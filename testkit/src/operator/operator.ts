import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createdTokenSchema, meSchema } from "@holdfast/core/api/account.ts";
import { changeDetailSchema, type PlanChange, rolloutSchema } from "@holdfast/core/api/change.ts";
import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { enrolmentSchema, serverSummarySchema } from "@holdfast/core/api/server.ts";
import { z } from "zod";

const POLL_MS = 200;
const CONNECT_PATIENCE_MS = 60_000;
const ROLLOUT_PATIENCE_MS = 120_000;
const TOKEN_DAYS = 366;

/** The API said no: its status and its dotted code. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(request: string, status: number, body: string) {
    super(`${request} answered ${status}: ${body}`);
    this.status = status;
    const problem = z.object({ code: z.string() }).safeParse(readJson(body));
    this.code = problem.success ? problem.data.code : "";
  }
}

/** Somebody who works with the public API only, for the demo, the tests and the benchmarks. */
export class Operator {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** Takes the one-time password of a first start, sets one that can be typed again, and makes a token. */
  static async first(
    url: string,
    login: { readonly user: string; readonly password: string },
  ): Promise<{ operator: Operator; password: string }> {
    const session = meSchema.extend({ sessionToken: z.string() });
    const anonymous = new Operator(url, "");
    const once = await anonymous.call("login", { body: login, answer: session });
    const password = randomBytes(12).toString("base64url");
    await new Operator(url, once.sessionToken).call("changePassword", {
      body: { current: login.password, next: password },
      answer: z.unknown(),
    });
    const signedIn = await anonymous.call("login", { body: { user: login.user, password }, answer: session });
    const token = await new Operator(url, signedIn.sessionToken).call("createToken", {
      body: { name: "demo", permissions: signedIn.permissions, days: TOKEN_DAYS },
      answer: createdTokenSchema,
    });
    return { operator: new Operator(url, token.secret), password };
  }

  async call<Schema extends z.ZodType>(
    route: RouteName,
    options: {
      readonly params?: Readonly<Record<string, string>>;
      readonly query?: Readonly<Record<string, string>>;
      readonly body?: unknown;
      /** The ETag of what was read. */
      readonly ifMatch?: string;
      readonly answer: Schema;
    },
  ): Promise<z.infer<Schema>> {
    const { method, path } = ROUTES[route];
    const target = new URL(
      `${this.url}/api/v1${path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(options.params?.[name] ?? ""))}`,
    );
    for (const [key, value] of Object.entries(options.query ?? {})) target.searchParams.set(key, value);
    const response = await fetch(target, {
      method,
      headers: {
        ...(this.token === "" ? {} : { authorization: `Bearer ${this.token}` }),
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...(options.ifMatch === undefined ? {} : { "if-match": options.ifMatch }),
        ...(method === "GET" ? {} : { "idempotency-key": randomUUID() }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiRefusal(`${method} ${target.pathname}`, response.status, text);
    return options.answer.parse(text === "" ? null : JSON.parse(text));
  }

  async servers(): Promise<readonly z.infer<typeof serverSummarySchema>[]> {
    return (await this.call("listServers", { answer: z.object({ items: z.array(serverSummarySchema) }) })).items;
  }

  /** Makes the server known if it is not, and gives the token for its agent. */
  async expectServer(name: string, labels: Readonly<Record<string, string>>): Promise<z.infer<typeof enrolmentSchema>> {
    const known = await this.servers();
    if (!known.some((server) => server.name === name))
      await this.call("createServer", { body: { name, labels }, answer: z.unknown() });
    return this.call("enrolServer", { params: { name }, body: {}, answer: enrolmentSchema });
  }

  async waitConnected(names: readonly string[]): Promise<void> {
    const deadline = performance.now() + CONNECT_PATIENCE_MS;
    for (;;) {
      const servers = await this.servers();
      const missing = names.filter((name) => !servers.some((server) => server.name === name && server.connected));
      if (missing.length === 0) return;
      if (performance.now() > deadline)
        throw new Error(`no session of ${missing.join(", ")} after ${CONNECT_PATIENCE_MS / 1000} s`);
      await sleep(POLL_MS);
    }
  }

  async plan(
    title: string,
    texts: readonly string[],
    trial: PlanChange["trial"] = {},
  ): Promise<z.infer<typeof changeDetailSchema>> {
    const made = await this.call("createChange", {
      body: { title, documents: texts.map((text) => ({ text })) },
      answer: changeDetailSchema,
    });
    const errors = made.findings.filter((finding) => finding.severity === "error");
    if (errors.length > 0) throw new Error(`the documents of "${title}" have errors: ${JSON.stringify(errors)}`);
    return this.call("planChange", { params: { id: made.id }, body: { trial }, answer: changeDetailSchema });
  }

  /** Begins what has been planned; every danger is accepted. Null when there is nothing to do anywhere. */
  async applyPlanned(
    change: z.infer<typeof changeDetailSchema>,
    on?: readonly string[],
  ): Promise<z.infer<typeof rolloutSchema> | null> {
    const wanted = change.plans.filter((plan) => on === undefined || on.includes(plan.server));
    const stuck = wanted.filter((plan) => plan.status === "refused" || plan.status === "unreachable");
    if (stuck.length > 0) throw new Error(`"${change.title}" cannot be planned: ${JSON.stringify(stuck)}`);
    const plans = wanted.filter((plan) => plan.status === "planned");
    if (plans.length === 0) return null;
    return this.call("applyChange", {
      params: { id: change.id },
      body: {
        plans: plans.map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })),
        acknowledge: plans.flatMap((plan) =>
          plan.findings
            .filter((finding) => finding.severity === "danger")
            .map((finding) => ({ server: plan.server, code: finding.code, path: finding.path })),
        ),
      },
      answer: rolloutSchema,
    });
  }

  async begin(
    title: string,
    texts: readonly string[],
    on?: readonly string[],
  ): Promise<z.infer<typeof rolloutSchema> | null> {
    return this.applyPlanned(await this.plan(title, texts), on);
  }

  /** Asks every server anew. */
  async planAgain({ id }: z.infer<typeof changeDetailSchema>): Promise<z.infer<typeof changeDetailSchema>> {
    return this.call("planChange", { params: { id }, body: { trial: {} }, answer: changeDetailSchema });
  }

  async waitRollout(id: string): Promise<z.infer<typeof rolloutSchema>> {
    const deadline = performance.now() + ROLLOUT_PATIENCE_MS;
    for (;;) {
      const rollout = await this.call("getRollout", { params: { id }, answer: rolloutSchema }).catch(unlessBusy);
      if (rollout === null) {
        if (performance.now() > deadline) throw new Error(`nobody says what became of rollout ${id}`);
        await sleep(POLL_MS);
        continue;
      }
      if (rollout.state === "DONE" || rollout.state === "HALTED") return rollout;
      if (performance.now() > deadline) throw new Error(`rollout ${id} has not ended: ${JSON.stringify(rollout)}`);
      await sleep(POLL_MS);
    }
  }

  /** Plans, applies and waits; every server must end APPLIED. */
  async apply(title: string, texts: readonly string[]): Promise<void> {
    const rollout = await this.begin(title, texts);
    if (rollout !== null) await this.seeApplied(title, rollout);
  }

  async seeApplied(title: string, rollout: z.infer<typeof rolloutSchema>): Promise<void> {
    const ended = await this.waitRollout(rollout.id);
    const bad = ended.waves.flatMap((wave) => wave.servers).filter((target) => target.apply?.state !== "APPLIED");
    if (ended.state !== "DONE" || bad.length > 0)
      throw new Error(`"${title}" did not end APPLIED everywhere: ${JSON.stringify(bad)}`);
  }
}

/** A database that does not answer in time is asked again, as the answer says; the rollout goes on meanwhile. */
function unlessBusy(error: unknown): null {
  if (error instanceof ApiRefusal && error.code === "store.unavailable") return null;
  throw error;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's page, or the end of a process
  }
}
