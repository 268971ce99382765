#!/bin/bash
# Checks the protocol model: every configuration holds, every mutant is refuted, every witness is reached (runs.txt).
#   run-all.sh          what every merge runs: two and a half minutes of CPU: about 75 s on two free cores
#   run-all.sh --long   the larger configurations too; one at a time, up to 12 GB, about half an hour
# JOBS sets how many run at once. Ends with a table and "N passed, N failed"; any failure, and any search cut short, exits with 1.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
slices=' ci '
jobs=${JOBS:-$(nproc)}
case ${1-} in
  '') ;;
  --long) slices=' ci long deep bitstate ' ;;
  *) echo "usage: run-all.sh [--long]" >&2; exit 1 ;;
esac
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "run-all.sh needs $tool: apt-get install spin gcc" >&2; exit 1; }
done

results=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-model-all.XXXXXX")
trap 'rm -rf "$results"' EXIT
# The runs are a process group of their own (set -m), so that a signal ends all of them and nobody else.
runs=0
trap '[ "$runs" = 0 ] || kill -- "-$runs" 2>/dev/null; exit 1' INT TERM

one_run() {
  local number=$1 slice=$3 expectation=$4 property=$5 mode=exact line outcome=FAILED
  local name=$2
  local -a flags
  read -ra flags <<<"$6"
  case $expectation in
    refuted) flags+=("-D$name") ;;
    reached) flags+=("-DREACH=$name") ;;
  esac
  case $slice in
    deep) mode=compact ;;
    bitstate) mode=bitstate ;;
  esac
  [ "$slice" = deep ] && export MODEL_MEMORY_MB=12000
  line=$("$here/run.sh" -p "$property" -m "$mode" "${flags[@]}")
  local verdict states seconds what
  IFS='|' read -r verdict states seconds what <<<"$line"
  case "$expectation $verdict $what" in
    'holds holds '*) outcome=passed ;;
    'refuted refuted reached') ;;
    'refuted refuted '*) outcome=passed ;;
    'reached refuted reached') outcome=passed ;;
  esac
  [ "$mode" = exact ] || what="$mode ${what}"
  printf '%-36s %-8s %-8s %12s %9s  %s\n' "$name" "$expectation" "$outcome" "$states" "$seconds" "$what" >"$results/$number"
  [ "$outcome" = passed ] || echo "FAILED: $name (expected: $expectation): $line" >&2
}
export -f one_run
export here results

# Every mistake and every witness of the model stands in the list, so that none is forgotten.
missing=$(comm -23 \
  <(grep -oE 'BUG_[A-Z_]*[A-Z]|^#define [A-Z_]+ \(' "$here/apply.pml" | sed -E 's/^#define ([A-Z_]+) \($/\1/' | sort -u) \
  <(grep -v '^#' "$here/runs.txt" | cut -d'|' -f1 | tr -d ' ' | sort -u))
if [ -n "$missing" ]; then
  echo "in apply.pml and not in runs.txt: $missing" >&2
  exit 1
fi

# The longest first, so that the short ones fill the gaps.
number=100
while IFS='|' read -r name slice expectation property flags; do
  read -r name <<<"$name"
  case $name in '' | '#'*) continue ;; esac
  slice=${slice// /} expectation=${expectation// /} property=${property// /}
  [[ $slices == *" $slice "* ]] || continue
  number=$((number + 1))
  printf '%s\0' "$number" "$name" "$slice" "$expectation" "$property" "$flags"
done <"$here/runs.txt" >"$results/list"

started=$SECONDS
[ "$slices" = ' ci ' ] || jobs=1
set -m
xargs -0 -n 6 -P "$jobs" bash -c 'one_run "$@"' one_run <"$results/list" &
runs=$!
wait "$runs"
runs=0

total=$(tr -cd '\0' <"$results/list" | wc -c)
total=$((total / 6))
printf '%-36s %-8s %-8s %12s %9s  %s\n' run expected outcome states seconds 'what fell'
cat "$results"/[0-9]* 2>/dev/null
passed=$(cat "$results"/[0-9]* 2>/dev/null | grep -c ' passed ')
states=$(cat "$results"/[0-9]* 2>/dev/null | awk '/ holds +passed / && !/ bitstate / { sub(/.* passed +/, ""); sum += $1 } END { printf "%d", sum }')
echo "$states states in the configurations that hold, $((SECONDS - started)) s"
echo "$passed passed, $((total - passed)) failed"
[ "$passed" = "$total" ] && [ "$total" -gt 0 ]
