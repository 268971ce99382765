import { expect, test } from "vitest";
import { SimulatedSystem } from "../../test/simulated-system.ts";
import { APT_FOLDER, APT_MAIN, aptLines } from "./apt-text.ts";
import { system } from "./domain.ts";
import type { SystemConfig } from "./model.ts";
import { parseAptProxies, parseProxy, parseProxyText, proxyProblem, proxyText } from "./proxy-text.ts";
import { systemSectionSchema } from "./section.ts";
import { usesOf } from "./uses.ts";

const PROXY: NonNullable<SystemConfig["proxy"]> = {
  for: ["apt"],
  http: "http://proxy.internal:3128",
  direct: ["mirror.internal"],
};

function findingsOf(server: SimulatedSystem, proxy: SystemConfig["proxy"]) {
  const desired: SystemConfig = proxy === undefined ? {} : { proxy };
  const managementPath = { controlPlane: [], inbound: [] };
  return system.plan({ desired, confirmed: null, observed: server.observe(), managementPath }).findings;
}

test("one line for each way and for each host that is asked without it", () => {
  expect(proxyText(PROXY).split("\n").slice(1)).toEqual([
    'Acquire::http::Proxy "http://proxy.internal:3128";',
    'Acquire::http::Proxy::mirror.internal "DIRECT";',
    "",
  ]);
  expect(parseProxyText(proxyText({ ...PROXY, https: "http://[fd00::9]:8080" }))).toMatchObject({ ok: true });
  for (const line of [
    'Acquire::http::Proxy-Auto-Detect "/x";',
    'Acquire::http::Proxy "http://a:b@c:1";',
    'DPkg::Pre-Invoke "x";',
  ])
    expect(parseProxyText(`${proxyText(PROXY)}${line}\n`), line).toMatchObject({ ok: false });
});

test("a password has no place in it, and what is no proxy is refused where it stands", () => {
  const issueOf = (proxy: unknown) =>
    systemSectionSchema
      .safeParse({ proxy })
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)[0];
  expect(issueOf({ for: "apt", http: "http://kim:secret@proxy.internal:3128" })).toMatch(
    /^proxy\.http: a proxy is written without a name and a password/,
  );
  for (const http of [
    "proxy.internal:3128",
    "http://proxy.internal",
    "http://proxy.internal:99999",
    "socks5://p:1",
    "http://p:1/x",
  ])
    expect(parseProxy(http), http).toMatchObject({ ok: false });
  expect(parseProxy("http://[fd00::9]:8080")).toEqual({ ok: true, value: { host: "fd00::9", port: 8080 } });
  expect(issueOf({ for: "apt", direct: "a.internal" })).toContain("Write `http:`, `https:` or both");
  expect(issueOf({ for: "apt", http: PROXY.http, direct: "10.0.0.0/8" })).toContain("apt knows no networks");
  expect(issueOf({ for: "apt", http: PROXY.http })).toBeUndefined();
});

test("what apt would go by instead is named with its line, by its name and never by what it says", () => {
  const server = new SimulatedSystem();
  expect(findingsOf(server, PROXY)).toEqual([]);
  server.folders.set(APT_FOLDER, {
    "20-site": 'Acquire::http::Proxy "http://old:1";\nAcquire::http::Proxy-Auto-Detect "/usr/bin/find-proxy";\n',
    "99-site":
      'acquire { http { proxy "http://kim:secret@other:1"; proxy::c.internal "DIRECT"; }; https::proxy "http://x:1"; };\n',
  });
  server.texts = { ...server.texts, [APT_MAIN]: 'Acquire::http::Proxy "http://main:1";\n' };
  const messages = findingsOf(server, PROXY).map(({ message }) => message);
  expect(messages).toEqual([
    expect.stringMatching(/20-site line 2 says Acquire::http::Proxy-Auto-Detect/),
    expect.stringMatching(/99-site line 1 says acquire::http::proxy too/),
    expect.stringMatching(/apt\.conf line 1 says Acquire::http::Proxy too/),
  ]);
  expect(messages.join("")).not.toContain("secret");
  expect(JSON.stringify(server.observe())).not.toContain("secret");
  expect(aptLines("x", 'Acquire::http::Proxy::a.b "DIRECT";\n')).toMatchObject([{ key: "Acquire::http::Proxy::a.b" }]);
});

test("what counts is what apt says; one with a password of somebody else is told as such", () => {
  const said = parseAptProxies(
    'Acquire::http "";\nAcquire::http::Proxy "http://proxy.internal:3128";\nacquire::https::proxy "http://kim:secret@x:1";\n',
  );
  expect(said).toEqual({ http: "http://proxy.internal:3128", https: "one with a password" });
  expect(proxyProblem(PROXY, said)).toBeNull();
  expect(proxyProblem({ ...PROXY, https: PROXY.http }, said)).toBe("https by one with a password");
  expect(proxyProblem(PROXY, null)).toBe("http by nobody");
});

test("the firewall must let the proxy be reached", () => {
  expect(usesOf({ proxy: { for: ["apt"], https: "http://10.0.0.9:3128" } })).toEqual([
    {
      direction: "out",
      address: "10.0.0.9",
      service: { protocol: "tcp", ports: { first: 3128, last: 3128 } },
      item: "system.proxy.https",
      what: "Packages are fetched by 10.0.0.9",
    },
  ]);
});
