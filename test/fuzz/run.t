#!/usr/bin/env bash
# A short run of each fuzzer, from its corpus: what make test can afford.  TAP.
cd "$(dirname "$0")/../.." || exit 1
targets=(build/fuzz/fuzz_*)
echo "1..${#targets[@]}"
n=0
for target in "${targets[@]}"; do
	name=${target##*/}
	corpus=$(mktemp -d)
	cp test/fuzz/corpus/"$name"/* "$corpus"/
	if out=$("$target" -runs=20000 -max_total_time=10 -timeout=10 -artifact_prefix="$corpus/" "$corpus" 2>&1); then
		echo "ok $((++n)) - $name"
	else
		echo "not ok $((++n)) - $name"
		tail -n 40 <<<"$out" | sed 's/^/# /'
	fi
	rm -rf "$corpus"
done
