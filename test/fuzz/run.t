#!/usr/bin/env bash
# A short run of each fuzzer, from its corpus: what make test can afford.  As many at a time as there are processors.  TAP.
cd "$(dirname "$0")/../.." || exit 1
targets=(build/fuzz/fuzz_*)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work

# fuzz TARGET: its output, and a file "passed" when nothing was found
fuzz() {
	local name=${1##*/}
	mkdir -p "$work/$name/corpus"
	cp test/fuzz/corpus/"$name"/* "$work/$name/corpus/"
	"$1" -runs=20000 -max_total_time=10 -timeout=10 -artifact_prefix="$work/$name/" "$work/$name/corpus" >"$work/$name/out" 2>&1 &&
		touch "$work/$name/passed"
}
export -f fuzz

printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
echo "1..${#targets[@]}"
n=0
for target in "${targets[@]}"; do
	name=${target##*/}
	if [[ -e $work/$name/passed ]]; then
		echo "ok $((++n)) - $name"
	else
		echo "not ok $((++n)) - $name"
		tail -n 40 "$work/$name/out" | sed 's/^/# /'
	fi
done
