#!/bin/sh
# image.sh PROGRAMS FOLDER: builds what `make test-xen` boots, from Debian 12's packages and PROGRAMS, in FOLDER:
#
#   xen vmlinux     the hypervisor, and the kernel of dom0 and of the guests
#   dom0.cpio       Debian's dom0: Xen's scripts, bash, iproute2, bridge-utils, the xenstore tools; and brouter
#   minimal.cpio    a dom0 without these: what xl needs, busybox, iptables; and brouter
set -eu
here=$(dirname "$(readlink -f "$0")")
programs=$(readlink -f "$1")
mkdir -p "$2"
cd "$2"
unpack=$here/../../compat/apt/unpack-packages

linux=$("$here/../../compat/apt/newest-kernel" amd64)
"$unpack" -r bookworm kernel "$linux" xen-hypervisor-4.17-amd64
"$unpack" -r bookworm debian bash dash coreutils sed grep mawk util-linux bsdutils mount procps kmod findutils hostname busybox-static \
	iproute2 iputils-ping bridge-utils iptables xen-utils-4.17 xen-utils-common xenstore-utils \
	libc6 libgcc-s1 libtinfo6 libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libmount1 libblkid1 libuuid1 libsmartcols1 \
	libcap2 libcap-ng0 libudev1 libsystemd0 libproc2-0 libkmod2 liblzma5 libzstd1 libssl3 zlib1g libbz2-1.0 \
	libgcrypt20 libgpg-error0 liblz4-1 libbpf1 libelf1 libmnl0 libxtables12 libip4tc2 libip6tc2 libnftnl11 \
	libnetfilter-conntrack3 libnfnetlink0 libdb5.3 libtirpc3 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 \
	libkeyutils1 libbsd0 libmd0 libidn2-0 libunistring2 libext2fs2 libyajl2 libxencall1 libxendevicemodel1 libxenevtchn1 \
	libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenmisc4.17 libxenstore4 libxentoolcore1 libxentoollog1

gzip -dc kernel/boot/xen-4.17-amd64.gz >xen
# The kernel's file contains it as xz data, followed by more. Xen could unpack it too, but slowly in an emulator.
version=${linux#linux-image-}
vmlinuz=kernel/boot/vmlinuz-$version
start=$(LC_ALL=C grep -obUaP '\xfd7zXZ\x00' "$vmlinuz" | head -n 1 | cut -d: -f1)
tail -c "+$((start + 1))" "$vmlinuz" | xz -dc >vmlinux 2>/dev/null || :
head -c 4 vmlinux | grep -q ELF || { echo "$vmlinuz: no xz data with a kernel found" >&2; exit 1; }

# archive ROOT FILE
archive() { (cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet) >"$2"; }

### A guest: busybox and the driver of its interface

rm -rf guest && mkdir -p guest/bin guest/proc guest/sys guest/dev
cp debian/bin/busybox guest/bin/
cp "kernel/lib/modules/$version/kernel/drivers/net/xen-netfront.ko" guest/
cp "$here/guest-init" guest/init
archive guest guest.cpio

### Parts of both dom0s

# modules ROOT
modules() {
	mkdir -p "$1/usr/lib/modules/$version"
	(
		cd "kernel/lib/modules/$version"
		tar -c modules.builtin modules.builtin.modinfo modules.order kernel/drivers/xen kernel/drivers/net/xen-netback \
			kernel/drivers/net/dummy.ko kernel/drivers/net/ethernet/intel/e1000 kernel/net/bridge kernel/net/802 kernel/net/llc \
			kernel/net/netfilter kernel/net/ipv4/netfilter kernel/net/ipv6/netfilter kernel/lib/libcrc32c.ko \
			kernel/arch/x86/crypto/crc32c-intel.ko kernel/crypto/crc32c_generic.ko
	) | tar -x -C "$1/usr/lib/modules/$version"
	depmod -b "$1" "$version"
}

# system ROOT
system() {
	mkdir -p "$1/proc" "$1/sys" "$1/dev" "$1/run" "$1/tmp" "$1/guest" "$1/var/lib/xen" "$1/var/lib/xenstored" \
		"$1/var/log/xen/console" "$1/etc/xen" "$1/usr/local/sbin"
	rm -rf "$1/var/run" "$1/var/lock"
	ln -s /run "$1/var/run"
	ln -s /run/lock "$1/var/lock"
	echo 'root:x:0:0:root:/:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
	ln -f vmlinux "$1/guest/vmlinux"
	ln -f guest.cpio "$1/guest/initrd"
	cp "$here/dom0-init" "$1/init"
	cp "$here/network.sh" "$here/routed.sh" "$here/hook-time.sh" "$1/"
	modules "$1"
}

### Debian's dom0

rm -rf dom0 && cp -a debian dom0
rm -rf dom0/usr/share dom0/usr/lib/xen-4.17/boot dom0/usr/lib/xen-4.17/lib dom0/usr/lib/x86_64-linux-gnu/gconv dom0/usr/lib/debug
ln -sf dash dom0/bin/sh
ln -sf mawk dom0/usr/bin/awk
ln -sf xtables-nft-multi dom0/usr/sbin/iptables
system dom0
cp "$programs/brouter" dom0/usr/local/sbin/
ln -s brouter dom0/usr/local/sbin/network-virtual
ln -s brouter dom0/usr/local/sbin/vif-bridge
ln -s brouter dom0/usr/local/sbin/vif-route
archive dom0 dom0.cpio

### The minimal one

# take FILE...: copies files of Debian's dom0, with their libraries
libraries=usr/lib/x86_64-linux-gnu
take() {
	for file; do
		needed=$(debian/lib64/ld-linux-x86-64.so.2 --inhibit-cache --list \
			--library-path "debian/$libraries:debian/usr/lib/xen-4.17/lib/x86_64-linux-gnu" "debian/$file")
		case $needed in *"not found"*) echo "$file: $needed" >&2; exit 1 ;; esac
		for one in "$file" $(echo "$needed" | sed -n 's/.*=> debian.\([^ ]*\) .*/\1/p'); do
			[ -e "minimal/$one" ] || install -D "debian/$one" "minimal/$one"
		done
	done
}
rm -rf minimal
for merged in bin sbin lib lib64; do
	mkdir -p minimal/usr/$merged
	ln -s usr/$merged minimal/$merged
done
cp debian/lib64/ld-linux-x86-64.so.2 minimal/lib64/
cp debian/bin/busybox minimal/bin/
take usr/bin/dash usr/lib/xen-4.17/bin/xl usr/lib/xen-4.17/bin/xenstored usr/lib/xen-4.17/bin/xenconsoled \
	usr/lib/xen-4.17/bin/xen-init-dom0 usr/sbin/xtables-nft-multi $libraries/libgcc_s.so.1
mkdir minimal/$libraries/xtables
cp debian/$libraries/xtables/libipt_*.so debian/$libraries/xtables/libxt_*.so minimal/$libraries/xtables/
ln -s xtables-nft-multi minimal/usr/sbin/iptables
ln -s ../lib/xen-4.17/bin/xl minimal/usr/sbin/xl
# Not busybox's sh, which would run its own ip and brctl.
ln -s dash minimal/bin/sh
for applet in bin/cat bin/grep bin/ls bin/mkdir bin/mount bin/sed bin/sleep bin/tail sbin/modprobe; do
	ln -s /bin/busybox "minimal/$applet"
done
system minimal
cp "$programs/brouter" minimal/usr/sbin/
for command in brctl ip network-virtual; do
	ln -s brouter minimal/usr/sbin/$command
done
# where xl expects it
mkdir -p minimal/etc/xen/scripts
ln -s /usr/sbin/brouter minimal/etc/xen/scripts/vif-bridge
ln -s /usr/sbin/brouter minimal/etc/xen/scripts/vif-route
for absent in bash xenstore xenstore-read xenstore-write; do
	[ -z "$(find minimal -name $absent)" ] || { echo "the minimal dom0 has $absent" >&2; exit 1; }
done
archive minimal minimal.cpio
