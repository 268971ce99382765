import { requestCommands } from "./request-command.ts";
import type { TunnelSuite } from "./tunnel-suite.ts";

/** What people type into the systems that they have, where the server proves itself by a certificate (IKEv2). */
export interface DeviceWish {
  /** What opens the tunnel: a name and a password (EAP-MSCHAPv2), or a certificate of the person. */
  readonly way: "password" | "certificate";
  /** How the connection is called on the device. */
  readonly connection: string;
  /** What is called, and what the certificate of the server names. */
  readonly server: string;
  readonly user: string;
  readonly suite: TunnelSuite;
  /** Null: everything goes into the tunnel. */
  readonly networks: readonly string[] | null;
}

type Row = readonly [string, string];

interface DeviceSuite {
  readonly windows: string;
  /** Of both `IKESecurityAssociationParameters` and `ChildSecurityAssociationParameters` of a profile. */
  readonly apple: string;
}

/** In the words of Set-VpnConnectionIPsecConfiguration and of Apple's profiles (com.apple.vpn.managed, IKEv2). */
const DEVICE_SUITES = {
  "strong-2026": {
    windows:
      "-AuthenticationTransformConstants GCMAES256 -CipherTransformConstants GCMAES256 -EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 -PfsGroup ECP384 -DHGroup ECP384",
    apple: "EncryptionAlgorithm AES-256-GCM, IntegrityAlgorithm SHA2-384, DiffieHellmanGroup 20",
  },
  "compatible-2026": {
    windows:
      "-AuthenticationTransformConstants SHA256128 -CipherTransformConstants AES256 -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 -PfsGroup ECP256 -DHGroup ECP256",
    apple: "EncryptionAlgorithm AES-256, IntegrityAlgorithm SHA2-256, DiffieHellmanGroup 19",
  },
} as const satisfies Record<TunnelSuite, DeviceSuite>;

export function deviceRows({ way, connection, server, user, suite, networks }: DeviceWish): readonly Row[] {
  const { windows, apple } = DEVICE_SUITES[suite];
  const split = networks === null ? "" : " -SplitTunneling";
  const routes = (networks ?? []).map((network): Row => [
    `Windows, PowerShell: ${network}`,
    `Add-VpnConnectionRoute -ConnectionName ${connection} -DestinationPrefix ${network}`,
  ]);
  return [
    ["Windows, first", "put our authority into Local Machine, Trusted Root Certification Authorities"],
    ...(way === "certificate" ? requestRows(user, connection) : []),
    [
      "Windows, PowerShell: connection",
      `Add-VpnConnection -Name ${connection} -ServerAddress ${server} -TunnelType Ikev2 -AuthenticationMethod ${way === "password" ? "Eap" : "MachineCertificate"} -EncryptionLevel Required${split}`,
    ],
    [
      "Windows, PowerShell: algorithms",
      `Set-VpnConnectionIPsecConfiguration -ConnectionName ${connection} ${windows} -Force`,
    ],
    ...routes,
    ...(way === "password" ? passwordRows(server, user, apple) : certificateRows(server, user, apple)),
  ];
}

function passwordRows(server: string, user: string, apple: string): readonly Row[] {
  return [
    [
      "macOS, iOS",
      `trust our authority; VPN, IKEv2: server and remote ID ${server}, local ID ${user}, authentication by user name. By a profile: CertificateType ECDSA384, ${apple}`,
    ],
    [
      "Android",
      `install our authority as a CA certificate; IKEv2/IPSec MSCHAPv2: server address ${server}, IPSec identifier ${user}, IPSec CA certificate: our authority`,
    ],
    [
      "strongSwan",
      `auth eap-mschapv2, eap_id ${user}; remote id ${server}, cacerts: our authority; vips 0.0.0.0 or ::`,
    ],
  ];
}

/** How a device makes its key, which stays there, and the request that it sends. */
function requestRows(user: string, name: string): readonly Row[] {
  return [
    [
      "Windows: request",
      `certreq -new with an INF that has Subject = "CN=${user}", MachineKeySet = true, KeyAlgorithm = ECDSA_P384, RequestType = PKCS10; later certreq -accept -machine CERTIFICATE`,
    ],
    ...requestCommands(user, name).map(({ with: tool, command }): Row => [`${tool}: request`, command]),
  ];
}

function certificateRows(server: string, user: string, apple: string): readonly Row[] {
  return [
    [
      "macOS, iOS",
      `trust our authority, put your certificate beside its key; VPN, IKEv2: server and remote ID ${server}, local ID ${user}, authentication by certificate. By a profile: AuthenticationMethod Certificate, CertificateType ECDSA384, ${apple}`,
    ],
    [
      "Android",
      `install our authority as a CA certificate, and your certificate with its key; IKEv2/IPSec RSA (or strongSwan's app): server address ${server}, IPSec CA certificate: our authority`,
    ],
    [
      "strongSwan",
      `auth pubkey, certs: your certificate, id ${user}; remote id ${server}, cacerts: our authority; vips 0.0.0.0 or ::`,
    ],
  ];
}
