import { addressSetFromText, isSubset } from "@holdfast/core/net/address-set.ts";
import { nameOfPerson } from "@holdfast/core/policy/tunnel-people.ts";
import type { PeopleConfig, VpnConfig } from "@holdfast/domains/vpn/model.ts";
import { Alert, Label } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { differencesAt, originOf } from "../../live/at-item.ts";
import type { PoolSeen, SaSeen, VpnSeen } from "../../live/observed.ts";
import { isTunnelUp, OURS } from "../../live/tunnel-obstacle.ts";
import { useAmounts } from "../../ui/amount.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Differences, type LiveProps, Origins } from "./live-parts.tsx";
import { TunnelActs } from "./tunnel-acts.tsx";

interface Props extends LiveProps<VpnConfig, VpnSeen> {
  readonly server: string;
  readonly isOpen: boolean;
}

/** People who call this server: who is connected, with which address, since when. */
export function VpnPeople(props: Props): ReactNode {
  const t = useT();
  const groups = Object.entries(props.desired?.people ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (groups.length === 0) return null;
  return (
    <section>
      <h2 className="hf-small-title">{t("vpn.people")}</h2>
      {groups.map(([name, people]) => (
        <Group key={name} name={name} people={people} {...props} />
      ))}
    </section>
  );
}

interface GroupProps extends Props {
  readonly name: string;
  readonly people: PeopleConfig;
}

function Group({ name, people, seen, differences, provenance, server, isOpen }: GroupProps): ReactNode {
  const t = useT();
  const { charon } = seen.ipsec;
  const sas = charon.state === "up" ? charon.sas : [];
  const own = differences.filter(({ path }) => path.startsWith(`people.${name}.`));
  const persons = Object.entries(people.persons).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sasOf = (person: string): readonly SaSeen[] =>
    sas.filter((sa) => sa.name === `${OURS}${nameOfPerson(name, person)}`);
  const connected = persons.filter(([person]) => isTunnelUp(sasOf(person))).length;
  const pools =
    charon.state === "up" ? charon.pools.filter(({ base }) => people.pools.some((one) => isIn(base, one))) : [];
  return (
    <article className="hf-tunnel" data-drift={own.length > 0}>
      <header className="hf-line-row">
        <h3>{name}</h3>
        <Label isCompact color={connected > 0 ? "green" : "grey"}>
          {t("vpn.people.connected", { connected, count: persons.length })}
        </Label>
        <Origins origins={[originOf(provenance, `vpn.people.${name}`)]} />
      </header>
      <Differences differences={own} />
      <dl className="hf-ends">
        <div>
          <dt>{t("vpn.here")}</dt>
          <dd>
            <span className="hf-number">{people.local.address ?? t("vpn.anyAddress")}</span> ({people.local.identity})
            <div className="hf-quiet">{people.local.networks.join(", ")}</div>
          </dd>
        </div>
        <div>
          <dt>{t("vpn.people.pool")}</dt>
          <dd>
            <span className="hf-number">{people.pools.join(", ")}</span>
            {pools.map((pool) => (
              <Pool key={pool.name} pool={pool} />
            ))}
          </dd>
        </div>
        <div>
          <dt>{t("vpn.settings")}</dt>
          <dd>
            {people.suite}
            <div className="hf-quiet">
              {people.dns.length === 0 ? "" : t("vpn.people.dns", { dns: people.dns.join(", ") })}{" "}
              {t(`vpn.clearText.${people.clearText}`)}
            </div>
          </dd>
        </div>
      </dl>
      {pools.some(({ online, size }) => online >= size) ? (
        <Alert component="p" isInline variant="warning" title={t("vpn.people.full")} />
      ) : null}
      <table className="hf-table">
        <caption className="hf-sr">{name}</caption>
        <TableHead
          columns={[
            "vpn.person",
            "net.state",
            "vpn.person.address",
            "vpn.person.from",
            { number: "vpn.person.since" },
            { number: "net.received" },
            { number: "net.sent" },
            { hidden: "vpn.act.what" },
          ]}
        />
        <tbody>
          {persons.map(([person, { identity }]) => (
            <Person
              key={person}
              server={server}
              tunnel={nameOfPerson(name, person)}
              person={person}
              identity={identity}
              sas={sasOf(person)}
              seen={seen}
              isOpen={isOpen}
              isOther={differencesAt(differences, `people.${name}.${person}`).length > 0}
            />
          ))}
        </tbody>
      </table>
    </article>
  );
}

function Pool({ pool: { online, size } }: { readonly pool: PoolSeen }): ReactNode {
  const t = useT();
  return <div className="hf-quiet">{t("vpn.people.given", { online, size })}</div>;
}

interface PersonProps {
  readonly server: string;
  readonly tunnel: string;
  readonly person: string;
  readonly identity: string;
  readonly sas: readonly SaSeen[];
  readonly seen: VpnSeen;
  readonly isOpen: boolean;
  readonly isOther: boolean;
}

function Person({ server, tunnel, person, identity, sas, seen, isOpen, isOther }: PersonProps): ReactNode {
  const t = useT();
  const { bytes, duration } = useAmounts();
  const [sa] = sas;
  const children = sa?.children ?? [];
  const sum = (of: "bytesIn" | "bytesOut"): string => bytes(children.reduce((all, one) => all + one[of], 0));
  const state = sa === undefined ? "away" : isTunnelUp(sas) ? "connected" : "noAddress";
  return (
    <tr data-drift={isOther}>
      <td data-label={t("vpn.person")}>
        {person}
        <div className="hf-quiet">{identity}</div>
      </td>
      <td data-label={t("net.state")}>{t(`vpn.person.${state}`)}</td>
      <td data-label={t("vpn.person.address")} className="hf-number">
        {sa?.virtualAddresses.join(", ") ?? ""}
      </td>
      <td data-label={t("vpn.person.from")} className="hf-number">
        {sa?.remoteAddress ?? ""}
      </td>
      <td data-label={t("vpn.person.since")} className="hf-right">
        {sa === undefined ? "" : duration(sa.establishedSeconds)}
      </td>
      <td data-label={t("net.received")} className="hf-right hf-number">
        {sa === undefined ? "" : sum("bytesIn")}
      </td>
      <td data-label={t("net.sent")} className="hf-right hf-number">
        {sa === undefined ? "" : sum("bytesOut")}
      </td>
      <td className="hf-right">
        <TunnelActs
          server={server}
          tunnel={tunnel}
          seen={seen}
          remoteAddress={null}
          isOpen={isOpen}
          only={["terminate"]}
        />
      </td>
    </tr>
  );
}

function isIn(address: string, network: string): boolean {
  const [one, all] = [addressSetFromText(address), addressSetFromText(network)];
  return one.ok && all.ok && isSubset(one.value, all.value);
}
