#!/bin/bash
# Checks one configuration of the protocol model with Spin (Debian packages: spin, gcc).
#   run.sh [-p inv|live] [-m exact|compact|bitstate] [flags of the model, e.g. -DNAPP=2 -DBUG_ARM_LATE]
# Prints one line: verdict, states stored, seconds, and what fell (an invariant's label) or why there is no verdict.
# Exit code: 0 holds, 1 refuted, 2 no verdict: the model does not compile, or the search was cut short.
set -uo pipefail
property=inv
mode=exact
declare -a defines=()
while getopts p:m:D: option; do
  case $option in
    p) property=$OPTARG ;;
    m) mode=$OPTARG ;;
    D) defines+=("-D$OPTARG") ;;
    *) exit 2 ;;
  esac
done

# Deepest run of the larger configurations is below 2000 steps; a search that goes deeper is cut short and is no verdict.
readonly DEPTH=200000
# Megabytes. The largest exhaustive configuration takes less than half of it.
readonly MEMORY_MB=${MODEL_MEMORY_MB:-8000}

model=$(cd "$(dirname "$0")" && pwd)/apply.pml
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-model.XXXXXX")
pan=0
# The search is a child of its own, so that a signal ends it too.
trap '[ "$pan" = 0 ] || kill "$pan" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
cd "$work" || exit 2

verdict() {
  local states seconds
  states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' pan.out 2>/dev/null | head -1)
  seconds=$(sed -nE 's/^pan: elapsed time ([0-9.e+-]+) seconds/\1/p' pan.out 2>/dev/null | head -1)
  printf '%s|%.0f|%s|%s\n' "$1" "${states:-0}" "${seconds:-0}" "$2"
}

declare -a compile=(-w -DVECTORSZ=256 "-DMEMLIM=$MEMORY_MB") search=("-m$DEPTH")
case "${defines[*]}" in
  *-DBUG_* | *-DREACH=*) compile+=(-O0) ;; # found within a second: the compiler is what costs
  *) compile+=(-O2) ;;
esac
case $property in
  inv) compile+=(-DSAFETY) ;;
  live)
    defines+=(-DLIVE)
    compile+=(-DNFAIR=3)
    search+=(-a -f)
    ;;
  *) verdict none "unknown property $property"; exit 2 ;;
esac
case $mode in
  exact) ;;
  compact) compile+=(-DHC4) ;;
  # 2^34 bits (2 GB), three hash functions, ten minutes: a sample of what no memory holds. It finds, and proves nothing.
  bitstate) compile+=(-DBITSTATE) search+=(-w34 -k3 -Q10) ;;
  *) verdict none "unknown mode $mode"; exit 2 ;;
esac

cp "$model" apply.pml
if ! spin "${defines[@]}" -a apply.pml >spin.out 2>&1; then
  verdict none "spin: $(head -1 spin.out)"
  exit 2
fi
if ! gcc "${compile[@]}" -o pan pan.c 2>gcc.out; then
  verdict none "gcc: $(grep -m1 error gcc.out)"
  exit 2
fi
./pan "${search[@]}" >pan.out 2>&1 &
pan=$!
wait "$pan"
pan=0

if [ -f apply.pml.trail ]; then
  if grep -q 'acceptance cycle' pan.out; then
    verdict refuted I8
    exit 1
  fi
  # Run it again along the trail: the model says what fell. Anything else is a fault of the model and no refutation.
  label=$(./pan -r -n 2>/dev/null | grep -aoE -m1 'violated I[0-9]+|reached')
  case $label in
    violated*) verdict refuted "${label#violated }"; exit 1 ;;
    reached) verdict refuted reached; exit 1 ;;
  esac
  verdict none "$(grep -m1 '^pan:1:' pan.out)"
  exit 2
fi
[ "$mode" = bitstate ] && grep -q 'errors: 0' pan.out && { verdict holds ""; exit 0; }
cut_short='Search not completed|search depth too small|out of memory|MEMLIM|hashtable full|aborting|pan: error'
if ! grep -q 'errors: 0' pan.out || grep -qE "$cut_short" pan.out; then
  verdict none "cut short: $(grep -E -m1 "$cut_short" pan.out || echo 'the search ended without a verdict')"
  exit 2
fi
verdict holds ""
