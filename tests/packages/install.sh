#!/bin/sh
# install.sh FOLDER: tests `make install`, `make uninstall` and their siblings in a DESTDIR in FOLDER, with every option of the
# Makefile. As root, everything outside FOLDER is mounted read-only meanwhile.
set -u
cd "${0%/*}/../.." || exit
top=$(pwd)
if [ -z "${D-}" ]; then
	make --no-print-directory all >/dev/null || exit
	mkdir -p "$1"
	D=$(cd "$1" && pwd)/root
	rm -rf "$D" && mkdir "$D" || exit
	export D
	# shellcheck disable=SC2016 # for the shell that is called
	[ "$(id -u)" != 0 ] || exec unshare -m sh -ec '
		mount --make-rprivate /
		mount --bind "$D" "$D"
		mount -o remount,bind,ro /
		for mount in /tmp /var/tmp /run /dev/shm; do
			! mountpoint -q "$mount" || mount -o remount,bind,ro "$mount"
		done
		exec "$0"' "$top/tests/packages/install.sh"
fi
[ "$(id -u)" = 0 ] || echo "not root: files written outside DESTDIR go unnoticed" >&2
failed=0
passed=0
check() {
	what=$1
	shift
	if said=$("$@" 2>&1); then
		passed=$((passed + 1))
	else
		echo "FAILED: $what"
		echo "$said" | sed 's/^/    /'
		failed=1
	fi
}
not() { ! "$@"; }
make_() { make --no-print-directory DESTDIR="$D" "$@"; }
is() {
	[ "$1" = "$2" ] || {
		printf 'is\n%s\nand should be\n%s\n' "$1" "$2"
		false
	}
}
files() { (cd "$D" && find . ! -type d | LC_ALL=C sort | tr '\n' ' '); }
sbin=$D/usr/local/sbin
man=./usr/local/share/man/man8

# installs and uninstalls take the same ARGUMENT...
installs() { check "make install $*" make_ install "$@"; }
uninstalls() {
	check "make uninstall $*" make_ uninstall "$@"
	check 'nothing is left' is "$(files)" ''
}

installs
check 'links' is "$(readlink "$sbin/network-virtual") $(readlink "$sbin/vif-bridge")" 'brouter brouter'
check 'brctl and ip are left to others' [ ! -e "$sbin/brctl" -a ! -e "$sbin/ip" ]
check 'the pages of what is there' [ -e "$D/$man/brouter.8" -a -e "$D/$man/network-virtual.8" -a -e "$D/$man/vif-bridge.8" ]
check "brctl's page has a name of its own" [ -e "$D/$man/brctl-brouter.8" -a ! -e "$D/$man/brctl.8" ]
check 'it runs' "$sbin/brouter" --version
installs
uninstalls

installs LINKS=hard
check 'one file' [ "$sbin/brouter" -ef "$sbin/network-virtual" -a "$sbin/brouter" -ef "$sbin/vif-bridge" ]
installs LINKS=hard
uninstalls LINKS=hard

installs LINKS=none
check 'nothing but brouter' is "$(ls "$sbin")" brouter
uninstalls LINKS=none

all='brctl ip ipaddr iplink iproute network-virtual vif-bridge'
installs SPLIT=1 NAMES="$all"
for name in brctl ip network-virtual vif-bridge; do check "$name is a program of its own" cmp "build/$name" "$sbin/$name"; done
check 'ipaddr knows its name' "$sbin/ipaddr" show lo
check "ip's page" grep -q 'so man8/ip-brouter.8' "$D/$man/ip.8"
check "brctl's page" [ -e "$D/$man/brctl.8" ]
uninstalls SPLIT=1 NAMES="$all"

installs PREFIX=/usr SBINDIR=/sbin MANDIR=/usr/man NAMES=network-virtual
check 'folders' [ -x "$D/sbin/brouter" -a -L "$D/sbin/network-virtual" -a -e "$D/usr/man/man8/brouter.8" ]
check 'no others' [ ! -e "$D/usr/local/sbin/brouter" ]
uninstalls PREFIX=/usr SBINDIR=/sbin MANDIR=/usr/man NAMES=network-virtual

echo theirs >"$sbin/ip"
check "another's ip is not replaced" not make_ install NAMES='ip brctl'
check 'and nothing is installed' is "$(files)" './usr/local/sbin/ip '
installs NAMES=brctl
check 'nor removed' make_ uninstall NAMES='ip brctl'
check 'it is theirs' is "$(cat "$sbin/ip")" theirs
installs NAMES=ip FORCE=1
uninstalls NAMES=ip
check 'LINKS=wrong is refused' not make_ install LINKS=wrong
check 'NAMES=wrong is refused' not make_ install NAMES=wrong
check 'and nothing is installed' is "$(files)" ''

for init in systemd sysv openrc; do
	check "make install-service INIT=$init" make_ install-service INIT=$init
	check 'names the program where it is' grep -rq /usr/local/sbin/brouter "$D/usr/local/lib" "$D/etc"
	check "make uninstall-service INIT=$init" make_ uninstall-service INIT=$init
	check 'nothing is left' is "$(files)" ''
done

xen=$D/etc/xen/scripts
mkdir -p "$xen"
echo theirs >"$xen/vif-bridge"
chmod 750 "$xen/vif-bridge"
check 'make install-xen' make_ install-xen
check 'says what it keeps' is "$said" "$xen/vif-bridge is kept as $xen/vif-bridge.orig"
check 'and keeps it' is "$(cat "$xen/vif-bridge.orig")" theirs
check 'both are ours' cmp build/vif-bridge "$xen/vif-bridge"
check 'both are ours' cmp build/network-virtual "$xen/network-virtual"
check 'again' make_ install-xen
check 'it is kept' is "$(cat "$xen/vif-bridge.orig")" theirs
echo newer >"$xen/vif-bridge"
check 'after an upgrade of Xen' make_ install-xen
check 'the newer is kept' is "$(cat "$xen/vif-bridge.orig")" newer
check 'and the older' is "$(cat "$xen/vif-bridge.orig.1")" theirs
rm "$xen/vif-bridge"
mv "$xen/vif-bridge.orig.1" "$xen/vif-bridge.orig"
cp build/vif-bridge "$xen/vif-bridge"
check 'make uninstall-xen' make_ uninstall-xen
check 'brings it back' is "$(cat "$xen/vif-bridge") $(stat -c %a "$xen/vif-bridge")" 'theirs 750'
check 'and nothing else is left' is "$(files)" './etc/xen/scripts/vif-bridge '
check 'make uninstall-xen again' make_ uninstall-xen
check 'leaves it' is "$(cat "$xen/vif-bridge")" theirs
check 'make install-xen XEN_SCRIPT_DIR=' make_ install-xen XEN_SCRIPT_DIR=/usr/lib/xen/scripts
check 'elsewhere' [ -x "$D/usr/lib/xen/scripts/network-virtual" -a ! -e "$xen/network-virtual" ]
echo "make install: $passed checks hold"
exit $failed
