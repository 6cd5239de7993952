# shellcheck shell=sh disable=SC2034
# Functions shared by chroot.sh and booted.sh, which source this file.

failed=0
# check WHAT COMMAND...: prints whether the command succeeds, and its output if not
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
# has TEXT COMMAND...: succeeds if the command's output contains a text
has() {
	text=$1
	shift
	said=$("$@" 2>&1)
	echo "$said"
	case $said in *"$text"*) ;; *) false ;; esac
}
