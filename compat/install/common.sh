# shellcheck shell=sh
# Read by the scripts of this folder, which `make install` and its siblings run in the top folder with their variables.

# ours FILE: whether it is one of brouter's programs or a link to brouter. A script that calls one of them is not.
ours() {
	[ "$(readlink "$1" || :)" = brouter ] ||
		{ [ -f "$1" ] && head -c 4 "$1" | grep -q ELF && grep -q BROUTER_ERA "$1"; }
}

there() { [ -e "$1" ] || [ -L "$1" ]; }

# put MODE FILE TARGET: in one step, so that whoever has the old one open keeps it whole
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

# file MODE FILE TARGET: puts it, or takes it away
file() {
	if [ "$action" = install ]; then put "$@"; else rm -f "$3"; fi
}
