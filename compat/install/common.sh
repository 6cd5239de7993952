# shellcheck shell=sh
# Sourced by the scripts of this folder. `make install` and its siblings run them in the top folder with the Makefile's variables.

# ours FILE: succeeds if it is one of brouter's programs or a link to brouter; a script that calls one of them is not.
ours() {
	[ "$(readlink "$1" || :)" = brouter ] ||
		{ [ -f "$1" ] && head -c 4 "$1" | grep -q ELF && grep -q BROUTER_ERA "$1"; }
}

there() { [ -e "$1" ] || [ -L "$1" ]; }

# put MODE FILE TARGET: installs a file atomically; whoever has the old one open keeps it intact
put() {
	mkdir -p "${3%/*}"
	install -m "$1" "$2" "$3.new"
	mv -f "$3.new" "$3"
}

case ${1-} in
install | uninstall) action=$1 ;;
*)
	echo "usage: ${0##*/} install|uninstall" >&2
	exit 2
	;;
esac

# file MODE FILE TARGET: installs or removes it
file() {
	if [ "$action" = install ]; then put "$@"; else rm -f "$3"; fi
}
