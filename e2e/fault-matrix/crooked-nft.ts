import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { until } from "@holdfast/testkit/until.ts";

/** lie: says that it loaded and did not. fail: loads nothing and says so. slow: takes its time. */
export type NftMood = "honest" | "lie" | "fail" | "slow";

const MOOD = "/run/nft-mood";
/** There while a slow one takes its time. */
const LOADING = "/run/nft-is-loading";

/** Stands in nft's place and does as the mood says; a boot makes it honest. Listings and checks always pass. */
const SCRIPT = `#!/bin/sh
mood() { cat ${MOOD} 2>/dev/null; }
load() {
  case "$(mood)" in
    lie) return 1 ;;
    fail) echo "Error: this nft loads nothing" >&2; return 2 ;;
    slow) : >${LOADING}; sleep 1; rm -f ${LOADING} ;;
  esac
}
case " $* " in
  *" -i "*)
    while IFS= read -r line; do
      case "$line" in
        include*) load && printf '%s\\n' "$line" ;;
        *) printf '%s\\n' "$line" ;;
      esac
    done | /usr/sbin/nft.real "$@" ;;
  *" -c "*) exec /usr/sbin/nft.real "$@" ;;
  *" -f "*)
    load
    case $? in 1) exit 0 ;; 2) exit 1 ;; esac
    exec /usr/sbin/nft.real "$@" ;;
  *) exec /usr/sbin/nft.real "$@" ;;
esac
`;

/** Done again it changes nothing. */
export async function installCrookedNft(server: HouseServer): Promise<void> {
  if ((await server.machine.exec(["test", "-e", "/usr/sbin/nft.real"])).code === 0) return;
  await server.machine.must(["cp", "/usr/sbin/nft", "/usr/sbin/nft.real"]);
  await server.machine.writeFile("/usr/sbin/nft", SCRIPT, 0o755);
  // What runs already holds the real one open.
  server.kill("module");
}

/** Resolves while a slow nft has been told to load and has not begun. */
export async function whileLoading(server: HouseServer): Promise<void> {
  await until(
    "a module that loads",
    async () => (await server.machine.exec(["test", "-e", LOADING])).code === 0,
    30_000,
  );
}

export async function setMood(server: HouseServer, mood: NftMood): Promise<void> {
  await installCrookedNft(server);
  await server.machine.must(
    mood === "honest" ? ["rm", "-f", MOOD] : ["sh", "-c", 'printf %s "$1" >"$2"', "sh", mood, MOOD],
  );
}
