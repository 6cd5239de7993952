#!/bin/bash
# run.sh COMMAND...: runs a command of `cargo test` and prints what a person needs of its output: a line for each test program,
# notices and failures in full, and at the end the rows that failed and the count of all.
set -u -o pipefail
"$@" 2>&1 | awk '
function clock(seconds) { seconds += 0; return seconds >= 60 ? int(seconds / 60) " min " int(seconds % 60) " s" : int(seconds + 0.5) " s" }
# "Running tests/brctl.rs (target/...)", "Running unittests src/lib.rs (...)", "Doc-tests brouter"
/^ +Running / { program = $2 == "unittests" ? $3 : $2; sub(/^tests\//, "", program); sub(/(\/main)?\.rs$/, "", program); next }
/^ +Doc-tests / { program = "examples in the documentation of " $2; next }
/^running [0-9]+ tests?$/ { next }
/^test .* \.\.\. (ok|ignored(, .*)?)$/ { next }
/^test .* \.\.\. FAILED$/ { name = substr($0, 6, length($0) - 16); sub(/ +$/, "", name); failed[++rows] = program ": " name; print; fflush(); next }
# the list of names after the details, which the list at the end repeats
/^failures:$/ { listed = ++sections % 2 == 0; next }
listed && /^    / { next }
/^test result: / {
	listed = sections = 0
	passed += $4; failures += $6; skipped += $8
	seconds = $0; sub(/.*finished in /, "", seconds); sub(/s$/, "", seconds); sum += seconds
	if ($4 + $6 + $8 > 0)
		printf "%-18s %5d passed%s%s  %s\n", program, $4, $6 ? ", " $6 " FAILED" : "", $8 ? ", " $8 " skipped" : "", clock(seconds)
	fflush()
	next
}
/^$/ { if (blank++) next }
!/^$/ { blank = 0 }
{ print; fflush() }
END {
	print ""
	if (rows) {
		print "These failed; run one with  cargo test --test PROGRAM -- --exact \"NAME\":"
		for (row = 1; row <= rows; row++) print "  " failed[row]
		print ""
	}
	printf "%d passed, %d failed, %d skipped\n", passed, failures, skipped
}'
