#!/bin/sh
# run.sh PROGRAMS FOLDER PART...: runs parts of the tests of several hosts, as root: tunnel, crowd, metrics, fleet. PROGRAMS is the
# folder of brouter, FOLDER one for what the hosts print. All is in network, mount and process namespaces, and ends with them.
set -eu
here=$(cd "${0%/*}" && pwd)
[ "$(id -u)" = 0 ] || { echo "These tests need root" >&2; exit 1; }
programs=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
lab=$(cd "$2" && pwd)
shift 2
# counters of the machine's table of neighbours, which namespaces share and do not show
neighbours=/proc/net/stat/arp_cache
[ -r $neighbours ] || neighbours=/dev/null
exec 9<$neighbours
status=0
for part; do
	echo "# $part"
	mkdir "$lab/$part"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -n -m -p --fork --kill-child --mount-proc bash -c '
		set -u
		here=$1 programs=$2 lab=$3 part=$4 guide=$1/../../compat/docs/HOSTS.md
		mount --make-rprivate / && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && ip link set lo up || exit
		. "$here/lab.sh"
		. "$here/$part.sh"
		echo "# $part: $failures failed"
		[ "$failures" = 0 ]' bash "$here" "$programs" "$lab/$part" "$part" || status=1
done
exit $status
