#!/bin/sh
# check.sh: what `make demo` needs besides its programs: TAP devices, and namespaces.
tun=/dev/net/tun
if [ ! -e $tun ]; then
	echo "demo: there is no $tun. As root:  modprobe tun" >&2
	echo "      In a container or a chroot:  mkdir -p /dev/net && mknod $tun c 10 200" >&2
	exit 1
elif ! (: <>$tun) 2>/dev/null; then
	echo "demo: $tun cannot be opened. Run the demo as root, or on a host whose $tun is open to this user." >&2
	exit 1
fi
options='-n -m'
[ "$(id -u)" = 0 ] || options=-rnm
# shellcheck disable=SC2086 # words
if ! said=$(unshare $options mount -t sysfs sysfs /sys 2>&1); then
	echo "demo: cannot create private namespaces: $said" >&2
	case $said in *propagation*)
		echo "The root folder of a chroot must be a mount point; outside of it, before chroot:  mount --bind DIR DIR" >&2
		exit 1
		;;
	esac
	echo "Run the demo as root, or allow ordinary users to create namespaces; as root:" >&2
	echo "  sysctl user.max_user_namespaces=10000" >&2
	echo "  sysctl kernel.unprivileged_userns_clone=1                (if the kernel has it)" >&2
	echo "  sysctl kernel.apparmor_restrict_unprivileged_userns=0    (if the kernel has it)" >&2
	exit 1
fi
