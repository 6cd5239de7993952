#!/bin/bash
# boot.sh FOLDER: boots the Debian of FOLDER/base with our packages in qemu, with its own kernel and initramfs. The initramfs
# brings up the network "early", systemd "dmz"; the machine runs booted.sh, which checks them.
set -eu
here=$(dirname "$(readlink -f "$0")")
cd "$1"
rm -rf machine machine.img
cp -a base machine
mkdir machine/packages
cp "$here"/../../build/deb/*_amd64.deb "$here"/../../build/deb/*_all.deb machine/packages/
cp "$here/booted.sh" "$here/checks.sh" machine/packages/
cat >machine/etc/systemd/system/booted.service <<'UNIT'
[Unit]
After=multi-user.target brouter@dmz.service
[Service]
ExecStart=/packages/booted.sh
StandardOutput=file:/dev/ttyS0
StandardError=inherit
ExecStopPost=systemctl poweroff --force --force
[Install]
WantedBy=multi-user.target
UNIT
unshare -n -m -p -f sh -ec '
	mount --make-rprivate /
	mount -t proc proc machine/proc
	mount -t sysfs sysfs machine/sys
	exec chroot machine sh -ec "
		dpkg -i /packages/brouter_*.deb
		printf \"bridge=br-early\naddress=10.1.0.1/24\nmasquerade=yes\n\" >/etc/brouter/early.conf
		printf \"bridge=br-dmz\naddress=192.168.10.1/24\nmasquerade=yes\n\" >/etc/brouter/dmz.conf
		echo BROUTER=early >/etc/initramfs-tools/conf.d/brouter
		# a small initramfs: an emulator loads it slowly
		sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf
		printf \"virtio_pci\nvirtio_blk\next4\n\" >>/etc/initramfs-tools/modules
		update-initramfs -u
		systemctl enable brouter@dmz brouter@early booted
		systemctl mask systemd-timesyncd systemd-resolved apt-daily.timer apt-daily-upgrade.timer man-db.timer serial-getty@ttyS0
		echo /dev/vda / ext4 rw 0 0 >/etc/fstab
	"'
# every pattern of Alpine's feature matches a module
grep -v '^#' "$here/../../compat/alpine/brouter.modules" | while read -r pattern; do
	# shellcheck disable=SC2086 # a pattern
	ls machine/lib/modules/*/$pattern
done
cp machine/boot/vmlinuz-* vmlinuz
cp machine/boot/initrd.img-* initrd
truncate -s 1200M machine.img
mke2fs -q -F -t ext4 -d machine machine.img
timeout -k 5 400 qemu-system-x86_64 -machine pc,accel=tcg -m 768 -smp 2 -nodefaults -display none -monitor none -no-reboot \
	-serial stdio -kernel vmlinuz -initrd initrd -append 'console=ttyS0 root=/dev/vda rw panic=1 quiet systemd.show_status=0' \
	-drive file=machine.img,format=raw,if=virtio,cache=unsafe </dev/null | tr -d '\r' | tee boot.console
rm -rf machine machine.img
grep -q 'booted: status 0' boot.console && ! grep -q FAILED boot.console
