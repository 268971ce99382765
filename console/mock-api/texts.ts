/** Documents that the mock begins with: the same shapes as real ones, so that the editor and its findings have something to work on. */
export const WEB_HOST = `apiVersion: holdfast/v1
kind: Policy
name: web-host
description: Public web servers. HTTPS from everywhere, SSH from the office, metrics from monitoring.
layer: role                        # fleet, role, site or server; the floor stands above all of them
selector: { role: web }

define:
  office: [203.0.113.0/26, "2001:db8:f1::/64"]

firewall:
  mode: enforce
  inbound:                         # to this server
    default: drop
    log: 5/second
    rules:
      - name: web
        allow: [tcp/80, tcp/443, udp/443]
        from: any
      # operators only
      - name: ssh
        allow: tcp/22
        from: office
        limit: { rate: 10/minute, per: source }
      - name: metrics
        allow: tcp/9100
        from: role:monitoring
        why: OPS-812
      - name: ping
        allow: icmp/echo
        from: any
        limit: { rate: 20/second, per: source }
      - name: partner-debug
        allow: tcp/8443
        from: 198.51.100.7
        enabled: false
        why: OPS-931
  outbound:
    default: allow

expect:
  - { from: any,    to: self, service: tcp/443,  is: open }
  - { from: office, to: self, service: tcp/22,   is: open }
`;

export const BRANCH_GATEWAY = `apiVersion: holdfast/v1
kind: Policy
name: branch-gateway
description: A branch office. Staff and guests go out through NAT.
layer: role
selector: { role: branch-gateway }

firewall:
  mode: enforce
  zones:
    internet: [wan]
    staff: [staff]
    guest: [guest]
  inbound:
    default: drop
    rules:
      - { name: ping, allow: icmp/echo, from: ["zone:staff", "zone:guest"] }
  forward:
    default: drop
    rules:
      - name: guest-stays-out
        reject: any
        from: zone:guest
        to: zone:staff
      - name: staff-out
        allow: any
        from: zone:staff
        to: zone:internet
  nat:
    masquerade:
      - { name: internet, from: ["zone:staff", "zone:guest"], to: zone:internet }
`;

export const MONITORING = `apiVersion: holdfast/v1
kind: Policy
name: monitoring
description: The monitoring servers. It only observes yet.
layer: role
selector: { role: monitoring }

firewall:
  mode: observe                    # since Monday; enforce when nothing is dropped that is needed
  inbound:
    default: drop
    rules:
      - { name: web, allow: [tcp/80, tcp/443], from: any }
      - { name: ssh, allow: tcp/22, from: 203.0.113.0/26, limit: { rate: 10/minute, per: source } }
      - { name: telnet, reject: tcp/23, from: any }
  outbound:
    default: allow
`;

export const OFFICE_NET = `apiVersion: holdfast/v1
kind: Policy
name: office-net
description: The servers of the office.
layer: site
selector: { site: seoul }

network:
  forwarding: { ipv4: false }
  interfaces:
    # the cable to the provider
    wan:
      mtu: 1500
      ipv4: { method: static, addresses: 203.0.113.10/26, gateways: 203.0.113.1 }
      ipv6: { method: ra, use: [address, gateway] }
      routes:
        - { to: 10.0.0.0/8, via: 203.0.113.2, why: the head office }
    staff:
      vlan: { id: 10, parent: trunk }
      ipv4: { method: dhcp }
  dns: [9.9.9.9, 149.112.112.112]

system:
  timezone: Asia/Seoul
  sysctl: { net.core.somaxconn: 4096 }
  ssh: { rootLogin: never, passwords: false, allowGroups: ops }
  users:
    kim:
      comment: Kim, operations
      groups: [ops, adm]
      keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKXWIz1nfSDNQ8nl2q9xwdlm1xW1hQ3L3Kq1yVwY1w2d kim@office
      sudo: free
`;

export const TUNNEL = `apiVersion: holdfast/v1
kind: Tunnel
name: seoul-busan
description: Head office to Busan.

ends:                              # no local, no remote: nothing to mirror wrongly
  seoul: { server: gw-seoul, address: 203.0.113.10, networks: [10.10.0.0/16] }
  busan: { server: gw-busan, address: dynamic, networks: [10.20.10.0/24] }

via: policy
clearText: block                   # traffic between these networks never leaves unencrypted
auth: { psk: "file:seoul-busan-1" }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: restart }

traffic:
  default: drop
  rules:
    - { name: ping, allow: icmp/echo, from: [end:seoul, end:busan], to: [end:seoul, end:busan] }
`;

/** In the form of a certificate, and none. */
export function certificateText(sign: string): string {
  return `-----BEGIN CERTIFICATE-----\nMIIB${sign.repeat(60)}\n${sign.repeat(64)}\n-----END CERTIFICATE-----\n`;
}

/** By whom people of it come in. */
export const CERTIFIED = { dana: certificateText("D"), "min-ji": certificateText("M") } as const;

const certifiedLine = (person: keyof typeof CERTIFIED): string =>
  `      ${person}:\n        identity: ${person}@example.com\n        certificate: |\n${CERTIFIED[person].replace(/^(?=.)/gm, "          ")}`;

export const REMOTE_STAFF = `apiVersion: holdfast/v1
kind: Tunnel
name: remote-staff

ends:
  gw-busan: { server: gw-busan, address: 198.51.100.30, networks: [10.20.0.0/16] }
  people:
    address: dynamic               # they call from anywhere
    networks: [10.98.0.0/24]
    people:
${certifiedLine("dana")}${certifiedLine("min-ji")}      joon: { identity: joon@example.com, revoked: left the company }

via: policy
clearText: block
auth: { certificate: generated }
suite: strong-2026
lifetime: { ike: 12h, child: 1h }
dead: { after: 30s, then: clear }

traffic:
  default: drop
  rules: []
`;

export const OFFICE = `apiVersion: holdfast/v1
kind: Group
name: partner-networks
description: Networks of partners who may reach our staging servers.
addresses:
  - 198.51.100.0/24
  - 192.0.2.128/25
`;

export const FLOOR = `apiVersion: holdfast/v1
kind: Floor
name: operations
description: What no policy can take away.
selector: { all: true }
management:
  - { name: office, networks: [203.0.113.0/26], ports: [tcp/22] }
`;

export function serverText(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");
  return `apiVersion: holdfast/v1\nkind: Server\nname: ${name}\nlabels: { ${pairs} }\n`;
}
