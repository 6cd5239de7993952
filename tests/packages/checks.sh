# shellcheck shell=sh disable=SC2034
# What the scripts that look at a system with the packages have in common: read by them, from the folder that they lie in.

failed=0
# check WHAT COMMAND...: says whether the command succeeds, and what it says if not
check() {
	what=$1
	shift
	if said=$("$@" 2>&1); then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		echo "$said" | sed 's/^/    /'
		failed=1
	fi
}
# not COMMAND...: succeeds if the command fails
not() { ! "$@"; }
# has TEXT COMMAND...: what the command says holds a text
has() {
	text=$1
	shift
	said=$("$@" 2>&1)
	echo "$said"
	case $said in *"$text"*) ;; *) false ;; esac
}
