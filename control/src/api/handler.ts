import type { AnswerOf, BodyOf, QueryOf } from "@holdfast/core/api/endpoint.ts";
import { type RouteName, type ROUTES } from "@holdfast/core/api/route.ts";
import type { FastifyReply } from "fastify";
import type { Caller } from "./caller.ts";
import type { Connection } from "./connection.ts";

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type Needs<Name extends RouteName> = (typeof ROUTES)[Name]["needs"];

/** A request after the door: everything in it has been parsed. */
export interface ApiRequest<Name extends RouteName> {
  readonly caller: Needs<Name> extends "open" ? null : Caller;
  readonly params: Readonly<Record<NamesIn<(typeof ROUTES)[Name]["path"]>, string>>;
  readonly query: QueryOf<Name>;
  readonly body: BodyOf<Name>;
  /** The ETag of If-Match, without its quotes. */
  readonly ifMatch: string | null;
  /** Where it comes from, for the audit log. */
  readonly source: string;
  readonly connection: Connection;
  /** A page in a browser, which keeps cookies. */
  readonly fromBrowser: boolean;
  /** What this browser keeps of the sign-in that it has under way: sealed by us for a provider, a secret of its own for a passkey. */
  readonly pendingSignIn: string | null;
  readonly lastEventId: string | null;
  /** For a stream: the raw answer. */
  readonly reply: FastifyReply;
}

export interface ApiAnswer<Name extends RouteName> {
  readonly value: AnswerOf<Name>;
  readonly etag?: string;
  /** Sets the session's cookie, or takes it away with null. */
  readonly session?: { readonly secret: string; readonly seconds: number } | null;
  /** The same for a sign-in that is under way. */
  readonly pendingSignIn?: { readonly secret: string; readonly seconds: number } | null;
}

export type Handler<Name extends RouteName> = (request: ApiRequest<Name>) => Promise<ApiAnswer<Name>>;

export type Handlers = { readonly [Name in RouteName]: Handler<Name> };

export const DONE = { value: { done: true } } as const;
