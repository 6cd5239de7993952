#!/bin/sh
# run.sh FOLDER COMMAND...: runs a command as root in a small Debian in qemu, on Debian's kernel, which has what the machine's own may
# lack: bonding, VLANs, gretap. It runs in /source, which is the top of this source, read-only; what it writes elsewhere is lost. Its
# output and status are this script's. FOLDER keeps the disk and the kernel; build/debian has the Debian.
set -eu
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
mkdir -p "$1"
folder=$(readlink -f "$1")
shift
"$top/compat/apt/debian" "$top/build/debian"
linux=$("$top/compat/apt/newest-kernel" amd64)
"$top/compat/apt/unpack-packages" -r bookworm "$folder/kernel" "$linux"
version=${linux#linux-image-}
cd "$folder"
[ -e "kernel/lib/modules/$version/modules.dep.bin" ] || depmod -b kernel "$version"
if [ ! -e disk ] || [ "$top/build/debian/complete" -nt disk ]; then
	rm -f disk.new
	truncate -s 1G disk.new
	mke2fs -q -F -t ext4 -d "$top/build/debian" disk.new
	mv disk.new disk
fi

rm -rf root && mkdir -p root/bin root/dev root/proc root/modules root/root
cp "$(command -v busybox)" root/bin/
cp "$here/init" root/
number=10
modprobe -d kernel -S "$version" --show-depends -a virtio_pci virtio_blk ext4 crc32c_generic 9pnet_virtio 9p | while read -r word path rest; do
	[ "$word" = insmod ] || continue
	: "$rest"
	set -- root/modules/*-"${path##*/}"
	[ -e "$1" ] || cp "$path" "root/modules/$number-${path##*/}"
	number=$((number + 1))
done
{
	echo 'cd /source; export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
	for word; do printf "%s" "$word" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/' /"; done
	echo
} >root/command
(cd root && find . | cpio -o -H newc -R 0:0 --quiet) >initrd
share() { echo "-virtfs local,id=$1,mount_tag=$1,path=$2,readonly=on,security_model=none,multidevs=remap"; }
# without KVM: a virtual machine may have it in name only
# shellcheck disable=SC2046 # words
timeout -k 5 "${EMULATED_SECONDS:-600}" qemu-system-x86_64 -machine pc,accel=tcg -cpu max -m 1024 -smp 2 -nodefaults -display none \
	-monitor none -no-reboot -serial stdio -kernel "kernel/boot/vmlinuz-$version" -initrd initrd \
	-append 'console=ttyS0 quiet panic=1 net.ifnames=0' -drive file=disk,format=raw,if=virtio,snapshot=on \
	$(share source "$top") $(share modules "$folder/kernel/usr/lib/modules") </dev/null 2>qemu.log |
	tr -d '\r' | tee console | sed '/^emulated: status /d; /sysrq: Power Off/d; /reboot: Power down/d'
status=$(sed -n "s/^emulated: status \([0-9]*\).*/\1/p" console)
[ -n "$status" ] || { echo "The emulated machine has not finished:" >&2; cat qemu.log >&2; exit 1; }
exit "$status"
