import { identitiesOf, identityOf, initiatorOf, type ManagedEnd } from "../compose/tunnel-ends.ts";
import { deviceRows } from "./device-settings.ts";
import { formatDuration } from "./duration.ts";
import type { TunnelBody, TunnelEnd } from "./tunnel-document.ts";
import type { PersonWay } from "./tunnel-people.ts";
import { TUNNEL_SUITES } from "./tunnel-suite.ts";

export interface TunnelSheet {
  /** Name of the end for which it is. */
  readonly end: string;
  /** For whom it is: the administrator of that end, or a person of it. */
  readonly reader: string;
  readonly rows: readonly Row[];
}

type Row = readonly [string, string];
type PeopleEnd = Extract<TunnelEnd, { readonly kind: "people" }>;
type MachineEnd = Exclude<TunnelEnd, PeopleEnd>;

/**
 * What the administrator of the other end must set, in words that every vendor's manual has. The key is not among them. Null where the other end is
 * people: each has a sheet of their own.
 */
export function tunnelSheetOf({
  ends,
  key,
  suite,
  ikeSeconds,
  childSeconds,
  deadSeconds,
}: TunnelBody): TunnelSheet | null {
  const theirs = ends.find((end) => end.kind === "external") ?? ends[1];
  const ours = ends.find((end) => end !== theirs) ?? ends[0];
  if (theirs.kind === "people" || ours.kind === "people") return null;
  return {
    end: theirs.name,
    reader: `the administrator of ${theirs.name}`,
    rows: [
      ...endRows("your end", theirs),
      ...endRows("our end", ours),
      ["who begins", initiatorOf(ends) === theirs ? "your end" : "our end; your end answers"],
      ["version", "IKEv2 only"],
      ...(key.from === "certificate"
        ? certificateRows(ours, theirs)
        : [
            [
              "authentication",
              "pre-shared key on both sides; it is handed over separately and never by mail",
            ] satisfies Row,
          ]),
      ...suiteRows(suite),
      ["IKE lifetime", formatDuration(ikeSeconds)],
      ["ESP lifetime", formatDuration(childSeconds)],
      ["dead peer detection", `every ${formatDuration(deadSeconds)}`],
      ["to let through", "UDP 500, UDP 4500 and ESP (protocol 50) between the two addresses"],
    ],
  };
}

/** What one person's device must be told, in the words that telephones and notebooks use. Null: nobody is called so, or they may not come in any more. */
export function personSheetOf(tunnel: string, body: TunnelBody, person: string): TunnelSheet | null {
  const { ends, suite } = body;
  const theirs = ends.find((end) => end.kind === "people");
  const server = ends.find((end) => end.kind === "managed");
  const found = theirs?.people.find(({ name }) => name === person);
  if (theirs === undefined || server === undefined || found === undefined || found.proof === null) return null;
  const families = [...new Set(theirs.networks.map((network) => (network.includes(":") ? "IPv6" : "IPv4")))];
  const isAll = server.networks.some((network) => network.endsWith("/0"));
  return {
    end: theirs.name,
    reader: person,
    rows: [
      ...proofRows(body, server, found.identity, found.proof.by),
      ...suiteRows(suite),
      ["your address", `asked of the server (${families.join(" and ")})`],
      ["resolvers", theirs.dns.length === 0 ? "as without the tunnel" : `${theirs.dns.join(", ")}, from the server`],
      ["through the tunnel", isAll ? "everything" : server.networks.join(", ")],
      ["devices", "one at a time: a second one takes the place of the first"],
      ["to let through", `UDP 500 and UDP 4500 to ${server.address ?? ""}`],
      ...(found.proof.by === "psk"
        ? []
        : deviceRows({
            way: found.proof.by,
            connection: tunnel,
            server: identitiesOf(body, server)[0] ?? "",
            user: found.identity,
            suite,
            networks: isAll ? null : server.networks,
          })),
    ],
  };
}

function proofRows(body: TunnelBody, server: ManagedEnd, identity: string, by: PersonWay): readonly Row[] {
  const [called = server.server] = identitiesOf(body, server);
  switch (by) {
    case "psk":
      return [
        ["kind of connection", "IKEv2 with a pre-shared key (IKEv2/IPSec PSK)"],
        ["server", server.address ?? ""],
        ["server's identity (remote ID)", called],
        ["your identity (local ID)", identity],
        ["authentication", "pre-shared key, yours alone; it is handed over separately and never by mail"],
      ];
    case "password":
      return [
        ["kind of connection", "IKEv2 with a user name and a password (EAP-MSCHAPv2)"],
        ["server", server.hostname === null ? called : `${called} (${server.address ?? ""})`],
        ["server's identity (remote ID)", called],
        ["your user name", identity],
        ["your password", "yours alone; it is handed over separately and never by mail"],
        [
          "our authority",
          "its certificate comes with this sheet, and the device must trust it before anything is typed; whoever shows another one is no server of ours",
        ],
      ];
    case "certificate":
      return [
        ["kind of connection", "IKEv2 with a certificate (no EAP; Windows: a machine certificate)"],
        ["server", server.hostname === null ? called : `${called} (${server.address ?? ""})`],
        ["server's identity (remote ID)", called],
        ["your identity (local ID)", identity],
        [
          "your certificate",
          "the one that was issued for your device's request, and no other; the private key stays on the device where it was made",
        ],
        [
          "your next certificate",
          "make a new request on the device before this one ends, and have it certified: the old one opens nothing from then on",
        ],
        [
          "our authority",
          "its certificate comes with this sheet, and the device must trust it; whoever shows another one is no server of ours",
        ],
      ];
  }
}

/** As a text that can be sent. `authorities`, in PEM: whom that end has to believe. */
export function tunnelSheetText(
  tunnel: string,
  { reader, rows }: TunnelSheet,
  authorities: readonly string[] = [],
): string {
  const widest = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(widest)}  ${value}`);
  const parts = authorities.map((pem) => `\nour authority:\n\n${pem.trim()}\n`);
  return `Tunnel ${tunnel}: parameters for ${reader}\n\n${lines.join("\n")}\n${parts.join("")}`;
}

function suiteRows(suite: TunnelBody["suite"]): readonly Row[] {
  const { ike, child } = TUNNEL_SUITES[suite];
  return [
    ["IKE proposals", ike.join(" or ")],
    ["ESP proposals", `${child.join(" or ")}; tunnel mode, with perfect forward secrecy`],
  ];
}

function certificateRows(ours: MachineEnd, theirs: MachineEnd): readonly Row[] {
  const trusted = theirs.kind === "external" ? theirs.trusted : null;
  return [
    ["authentication", "certificates on both sides (ECDSA P-384); no key leaves its end"],
    [
      "our certificate",
      `names ${identityOf(ours)}; accept what our authority has issued for that name: it is renewed once a year, the authority once in ten`,
    ],
    ...(trusted === null
      ? []
      : [
          [
            "your certificate",
            trusted.of === "end"
              ? "the one that you have given us, and no other: tell us before you renew it"
              : `names ${identityOf(theirs)}, issued by the authority that you have given us`,
          ] satisfies Row,
        ]),
  ];
}

function endRows(title: string, end: MachineEnd): readonly Row[] {
  return [
    [`${title}: address`, end.address ?? "not known beforehand"],
    [`${title}: identity`, identityOf(end)],
    [`${title}: networks`, end.networks.join(", ")],
  ];
}
