import type { Json } from "../base/canonical-json.ts";
import type { DomainName } from "../domain.ts";
import type { FloorBody } from "./floor-document.ts";
import type { GroupBody } from "./group-document.ts";
import type { PolicyBody } from "./policy-document.ts";
import type { ServerBody } from "./server-document.ts";
import type { TunnelBody } from "./tunnel-document.ts";
import type { Positions } from "./yaml-source.ts";

export const DOCUMENT_KINDS = ["Policy", "Server", "Tunnel", "Group", "Floor"] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const API_VERSION = "holdfast/v1";

export interface Parsed<Kind extends DocumentKind, Body> {
  readonly kind: Kind;
  readonly name: string;
  readonly body: Body;
  /** The author's text, byte for byte. */
  readonly text: string;
  /** The data as written: shorthands and `$name` are still in it. */
  readonly data: { readonly [key: string]: Json | undefined };
  readonly positions: Positions;
  readonly file?: string;
}

export type PolicyDocument = Parsed<"Policy", PolicyBody>;
export type ServerDocument = Parsed<"Server", ServerBody>;
export type TunnelDocument = Parsed<"Tunnel", TunnelBody>;
export type GroupDocument = Parsed<"Group", GroupBody>;
export type FloorDocument = Parsed<"Floor", FloorBody>;
export type ParsedDocument = PolicyDocument | ServerDocument | TunnelDocument | GroupDocument | FloorDocument;

/** `Policy/web-host`: how findings and provenance name a document. */
export function documentId(document: { readonly kind: string; readonly name: string }): string {
  return `${document.kind}/${document.name}`;
}

/** The sections of a policy as written, by domain. */
export type Sections = { readonly [Name in DomainName]?: Json };
