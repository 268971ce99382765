import type { Family } from "@holdfast/core/net/address.ts";
import { servicesOf } from "./concrete.ts";
import { combine, familyOf, interfacesTest, textsTest } from "./expand.ts";
import type { Match } from "./match.ts";
import type { Peer, Publish } from "./model.ts";
import { chainNames, counterNames } from "./names.ts";
import type { TableDraft } from "./native.ts";
import { accept, goto, limit, log, type Statement } from "./nft-expression.ts";
import { ruleText } from "./nft-text.ts";

/** NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC. */
const PREROUTING_PRIORITY = -100;
const POSTROUTING_PRIORITY = 100;

/** Chains for address translation, only where some is asked for. */
export function natChains(draft: TableDraft): void {
  const nat = draft.config.nat;
  if (nat === undefined) return;
  if (nat.publish.length > 0) {
    draft.chains.set(chainNames.prerouting, {
      hook: { type: "nat", hook: "prerouting", priority: PREROUTING_PRIORITY, policy: "accept" },
      rules: [...floorFirst(draft), ...nat.publish.flatMap((publish) => destinationRules(draft, publish))],
    });
  }
  const source = [
    ...nat.publish.flatMap((publish) => hairpinRules(draft, publish)),
    ...nat.masquerade.flatMap((masquerade) => {
      const family = masquerade.as === undefined ? 4 : familyOf(masquerade.as);
      const statement: Statement =
        masquerade.as === undefined ? { masquerade: null } : { snat: { family: IP[family], addr: masquerade.as } };
      return combine(draft.config, masquerade.from, masquerade.to, [{ protocol: "any" }], (from, to) => ({
        family,
        ...(from === undefined ? {} : { in: interfacesTest(from) }),
        ...(to === undefined ? {} : { out: interfacesTest(to) }),
      }))
        .filter((of) => of.family === family)
        .map((of) => draft.rule(of, [statement], counterNames.rule("masquerade", masquerade.name)));
    }),
  ];
  if (source.length > 0) {
    draft.chains.set(chainNames.postrouting, {
      hook: { type: "nat", hook: "postrouting", priority: POSTROUTING_PRIORITY, policy: "accept" },
      rules: source,
    });
  }
}

const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

/** No published service can take a port of the floor away from a management network. */
function floorFirst(draft: TableDraft): readonly string[] {
  return draft.config.floor.inbound.flatMap((entry) => {
    const ports = entry.tcpPorts.map((port) => ({ first: port, last: port }));
    return ([4, 6] as const)
      .filter((family) => entry.networks.some((network) => familyOf(network) === family))
      .map((family) => {
        const source = textsTest(family, entry.networks);
        return draft.rule(
          {
            family,
            ...(source === undefined ? {} : { source }),
            destinationIs: "local",
            protocol: { kind: "tcp", from: [], to: ports },
          },
          [accept],
        );
      });
  });
}

/** The places where a published service can be asked for, and by whom. */
function doors(publish: Publish): readonly { readonly from: readonly Peer[]; readonly frame: Match }[] {
  const own: Match[] = publish.at.interfaces.map((key) => ({ in: interfacesTest(key), destinationIs: "local" }));
  const family = familyOf(publish.to);
  const literal = publish.at.addresses.length === 0 ? undefined : textsTest(family, publish.at.addresses);
  const byAddress: Match[] = literal === undefined ? [] : [{ destination: literal }];
  const hairpin: Match[] = publish.hairpin.flatMap((key) => [
    ...(publish.at.interfaces.length === 0 ? [] : [{ in: interfacesTest(key), destinationIs: "elsewhere" as const }]),
    ...(literal === undefined ? [] : [{ in: interfacesTest(key), destination: literal }]),
  ]);
  return [
    ...[...own, ...byAddress].map((frame) => ({ from: publish.from, frame })),
    ...hairpin.map((frame) => ({ from: [{}], frame })),
  ];
}

function destinationRules(draft: TableDraft, publish: Publish): readonly string[] {
  const family = familyOf(publish.to);
  const statement: Statement = {
    dnat: { family: IP[family], addr: publish.to, ...(publish.port === undefined ? {} : { port: publish.port }) },
  };
  return doors(publish)
    .flatMap(({ from, frame }) =>
      combine(draft.config, from, [{}], servicesOf([publish.service]), (zone) => withZone(frame, zone)),
    )
    .flatMap((of) => inFamily(of, family))
    .map((of) => draft.rule(of, [statement], counterNames.rule("nat", publish.name)));
}

/** `from` may name a zone too; it stands where the frame does not already ask for one. */
function withZone(frame: Match, zone: string | undefined): Match {
  return zone === undefined || frame.in !== undefined ? frame : { ...frame, in: interfacesTest(zone) };
}

function inFamily(of: Match, family: Family): readonly Match[] {
  return of.family === undefined || of.family === family ? [{ ...of, family }] : [];
}

/** After translation: what reaches the inner server because this rule sent it there, and nothing else that happens to look like it. */
export function publishRules(draft: TableDraft): readonly string[] {
  return (draft.config.nat?.publish ?? []).flatMap((publish) => {
    const family = familyOf(publish.to);
    const service = publish.port === undefined ? publish.service : `${publish.service.split("/")[0]}/${publish.port}`;
    const target = textsTest(family, [publish.to]);
    const matches = doors(publish)
      .flatMap(({ from, frame }) => {
        const { destinationIs: _asked, destination: _before, ...rest } = frame;
        return combine(draft.config, from, [{}], servicesOf([service]), (zone) =>
          withZone({ ...rest, translated: true }, zone),
        );
      })
      .flatMap((of) => inFamily(of, family))
      .map((of) => ({ ...of, ...(target === undefined ? {} : { destination: target }) }));
    if (publish.log === undefined)
      return unique(matches.map((of) => draft.rule(of, [accept], counterNames.rule("publish", publish.name))));
    const action = chainNames.publishAction(publish.name);
    draft.chains.set(action, {
      hook: null,
      rules: [
        ruleText([limit(publish.log, LOG_BURST, false), log(`holdfast publish ${publish.name} allow `)]),
        draft.rule(null, [accept], counterNames.rule("publish", publish.name)),
      ],
    });
    return unique(matches.map((of) => draft.rule(of, [goto(action)])));
  });
}

/** Log lines at once before the rate holds; nft's own default. */
const LOG_BURST = 5;

/** Doors that differ only before translation are one afterwards. */
function unique(rules: readonly string[]): readonly string[] {
  return [...new Set(rules)];
}

/** A client inside would get its answer straight from the inner server, under an address it never asked: so its source is translated too. */
function hairpinRules(draft: TableDraft, publish: Publish): readonly string[] {
  const family = familyOf(publish.to);
  return publish.hairpin.map((key) => {
    const destination = textsTest(family, [publish.to]);
    return draft.rule(
      { family, in: interfacesTest(key), ...(destination === undefined ? {} : { destination }), translated: true },
      [{ masquerade: null }],
    );
  });
}
