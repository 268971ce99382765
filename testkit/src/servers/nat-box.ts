import { must } from "./child.ts";
import { inNamespace } from "./network-namespace.ts";
import { LabNode, type Attachment, type Route } from "./node.ts";

export interface NatBoxSpec {
  readonly name: string;
  readonly outside: Attachment;
  readonly inside: Attachment;
  readonly routes?: readonly Route[];
}

/** A home router or a provider's NAT: connections from inside leave under the outside address, nothing new comes in. */
export class NatBox extends LabNode {
  readonly #outside: string;
  readonly #inside: string;

  constructor(spec: NatBoxSpec, namespace: string) {
    super(
      {
        name: spec.name,
        attachments: [spec.outside, spec.inside],
        ...(spec.routes === undefined ? {} : { routes: spec.routes }),
        forwarding: true,
      },
      namespace,
    );
    this.#outside = spec.outside.interface;
    this.#inside = spec.inside.interface;
  }

  override async open(): Promise<void> {
    await super.open();
    await must(inNamespace(this.namespace, ["nft", "-f", "-"]), { input: natRuleset(this.#outside, this.#inside) });
  }

  /** Forgets all connections, as a NAT box does when it restarts: those that go on arrive under a mapping that is no more. */
  async forget(): Promise<void> {
    await must(inNamespace(this.namespace, ["conntrack", "-F"]));
  }
}

function natRuleset(outside: string, inside: string): string {
  return `table inet natbox {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "${inside}" accept
    ct state established,related accept
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${outside}" ct state established,related accept
    iifname "${outside}" meta l4proto { tcp, udp } drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${outside}" masquerade
  }
}
`;
}
