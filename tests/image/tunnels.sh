#!/bin/bash
# tunnels.sh PROGRAMS FOLDER: boots Debian 12's kernel with the drivers of tunnels, bonds, VLANs and dummies, which the kernel of the
# other tests may lack, and compares our ip with Debian's there (tunnels-init). FOLDER is the one in which compat/image/make-image has
# unpacked the kernel and busybox.
set -u
here=$(dirname "$(readlink -f "$0")")
programs=$(readlink -f "$1")
cd "$2" || exit
"$here/../../compat/apt/unpack-packages" -r bookworm -d iproute2 iproute2 || exit
version=$(basename debian/lib/modules/*)
depmod -b debian "$version"

rm -rf tunnels
mkdir -p tunnels/{bin,lib,lib64,lib/modules,proc,sys,dev,run,tmp,etc,ours,original}
cp debian/bin/busybox tunnels/bin/
cp "$programs/ip" tunnels/ours/
cp iproute2/bin/ip tunnels/original/
library=iproute2/usr/lib/x86_64-linux-gnu
for file in $(iproute2/lib64/ld-linux-x86-64.so.2 --library-path $library --list iproute2/bin/ip | sed -n 's/.*=> \([^ ]*\).*/\1/p'); do
	cp "$file" tunnels/lib/
done
cp iproute2/lib64/ld-linux-x86-64.so.2 tunnels/lib64/
cp -r iproute2/etc/iproute2 tunnels/etc/
cp "$here/tunnels-init" tunnels/init
cp "$here/tunnels.rows" tunnels/rows
number=10
modprobe -d debian -S "$version" --show-depends -a veth tun bridge dummy bonding 8021q macvlan ip_gre ipip sit ip_vti |
	while read -r word path rest; do
		[ "$word" = insmod ] || continue
		: "$rest"
		set -- tunnels/lib/modules/*-"${path##*/}"
		[ ! -e "$1" ] || continue
		cp "$path" "tunnels/lib/modules/$number-${path##*/}"
		number=$((number + 1))
	done
(cd tunnels && find . | cpio -o -H newc -R 0:0 --quiet) >tunnels.img

rm -f tunnels.console
began=$SECONDS
# without KVM: a virtual machine may have it in name only
timeout -k 5 900 qemu-system-x86_64 -machine pc,accel=tcg -m 256 -nodefaults -display none -monitor none -no-reboot \
	-serial file:tunnels.console -kernel vmlinuz -initrd tunnels.img -append 'console=ttyS0 quiet panic=1'
tr -d '\r' <tunnels.console | sed -n '/^=>/,$p'
echo "$((SECONDS - began)) s"
grep -q '^=> all agree' tunnels.console
