import { ENDPOINTS, type Endpoint } from "@holdfast/core/api/endpoint.ts";
import { problemSchema } from "@holdfast/core/api/problem.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { z } from "zod";

type JsonObject = Readonly<Record<string, unknown>>;

const NAMES = Object.keys(ROUTES) as RouteName[];

/** The API as OpenAPI 3.1, made of the same table and the same schemas that the door uses: it cannot say anything else. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas: Record<string, unknown> = { Problem: schemaOf(problemSchema, "output") };
  for (const name of NAMES) {
    const route: Route = ROUTES[name];
    const endpoint: Endpoint = ENDPOINTS[name];
    const pascal = name.charAt(0).toUpperCase() + name.slice(1);
    if (endpoint.stream !== true) schemas[`${pascal}Answer`] = schemaOf(endpoint.answer, "output");
    if (endpoint.body !== undefined) schemas[`${pascal}Body`] = schemaOf(endpoint.body, "input");
    const path = `/api/v1${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route, endpoint, pascal) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Holdfast",
      version: "1",
      description:
        "Console and command line use this API and nothing else. Every refusal is a problem (RFC 9457) with a stable dotted code.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-holdfast",
          description: "A browser's session; unsafe requests carry X-Holdfast-CSRF",
        },
      },
    },
  };
}

function operation(name: RouteName, route: Route, endpoint: Endpoint, pascal: string): JsonObject {
  const status = String(endpoint.status ?? 200);
  const answer =
    endpoint.stream === true
      ? { "text/event-stream": { schema: { type: "string" } } }
      : { "application/json": { schema: { $ref: `#/components/schemas/${pascal}Answer` } } };
  return {
    operationId: name,
    summary: route.summary,
    description: needsInWords(route.needs),
    ...(route.needs === "open" ? { security: [] } : { security: [{ token: [] }, { session: [] }] }),
    "x-needs": route.needs,
    parameters: [...pathParameters(route.path), ...queryParameters(endpoint), ...headerParameters(route, endpoint)],
    ...(endpoint.body === undefined
      ? {}
      : {
          requestBody: {
            required: !endpoint.body.safeParse(undefined).success,
            content: { "application/json": { schema: { $ref: `#/components/schemas/${pascal}Body` } } },
          },
        }),
    responses: {
      [status]: { description: "Done", content: answer },
      default: {
        description: "Refused or failed",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function needsInWords(needs: Route["needs"]): string {
  if (needs === "open") return "Nobody needs to be signed in.";
  if (needs === "self") return "Any account, about itself.";
  return `Needs the permission ${needs}.`;
}

function pathParameters(path: string): readonly JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(endpoint: Endpoint): readonly JsonObject[] {
  if (endpoint.query === undefined) return [];
  const schema = schemaOf(endpoint.query, "input");
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonObject>>;
  const required = (schema["required"] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: property,
  }));
}

function headerParameters(route: Route, endpoint: Endpoint): readonly JsonObject[] {
  const text = { type: "string" };
  return [
    ...(route.method === "POST" && route.needs !== "open"
      ? [
          {
            name: "Idempotency-Key",
            in: "header",
            required: false,
            schema: text,
            description: "The same key and body are done once; the answer is repeated",
          },
        ]
      : []),
    ...(endpoint.ifMatch === true
      ? [{ name: "If-Match", in: "header", required: true, schema: text, description: "The ETag of what was read" }]
      : []),
    ...(endpoint.stream === true
      ? [
          {
            name: "Last-Event-ID",
            in: "header",
            required: false,
            schema: text,
            description: "Where the stream was left",
          },
        ]
      : []),
  ];
}

/** One JSON Schema without references to elsewhere, so that it may stand anywhere in the document. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, reused: "inline", unrepresentable: "any" }) as Record<
    string,
    unknown
  >;
  return rest;
}
