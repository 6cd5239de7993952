#!/bin/bash
# run.sh PROGRAMS FOLDER: builds the image (compat/image/make-image) and boots it in qemu between two more machines: a host outside on
# its first interface, a guest on the second. The guest pings the bridge and, masqueraded, the host outside, which knows no way back to
# it; the host outside fetches a page from the guest's published port.
set -u
here=$(dirname "$(readlink -f "$0")")
folder=$2
"$here/../../compat/image/make-image" "$1" "$folder" || exit
cd "$folder" || exit
sizes=$(stat -c '%n %s' brouter.img vmlinuz | awk '{ printf "%s %.2f MiB; ", $1, $2 / 1048576 }')
echo "${sizes%; }"

machines=()
# machine NAME IMAGE APPEND QEMU-OPTION...
machine() {
	local name=$1 image=$2 append=$3
	shift 3
	# without KVM: a virtual machine may have it in name only
	timeout -k 5 240 qemu-system-x86_64 -machine pc,accel=tcg -m 160 -nodefaults -display none -monitor none \
		-no-reboot -serial "file:$name.console" -kernel vmlinuz -initrd "$image" \
		-append "console=ttyS0 quiet panic=1 $append" "$@" 2>"$name.qemu" &
	machines+=($!)
}
trap 'kill "${machines[@]}" 2>/dev/null; wait' EXIT
rm -f ./*.console ./*.socket
# wire NAME NUMBER: options for one end of a wire between two machines, a socket in this folder
wire() {
	local other=$1$((1 - $2))
	echo "-netdev dgram,id=$1$2,local.type=unix,local.path=$1$2.socket,remote.type=unix,remote.path=$other.socket"
	echo "-device virtio-net-pci,netdev=$1$2,romfile=,mac=52:54:00:00:$3:0$2"
}
# shellcheck disable=SC2046 # words
{
	machine host brouter.img '' $(wire outside 0 01) $(wire inside 0 02)
	machine outside guest.img 'address=192.0.2.2/24 fetch=192.0.2.1:8080' $(wire outside 1 01)
	machine guest guest.img 'address=192.168.10.11/24 router=192.168.10.1 ping=192.168.10.1,192.0.2.2' $(wire inside 1 02)
}
began=$SECONDS
until grep -q 'guest: done' guest.console 2>/dev/null || [ $((SECONDS - began)) -gt 220 ]; do sleep 0.2; done

failed=0
# said MACHINE TEXT: checks that its console shows the text
said() {
	if grep -q "$2" "$1.console"; then
		echo "ok: $1: $(grep -m 1 "$2" "$1.console" | tr -d '\r')"
	else
		failed=1
		echo "FAILED: $1 does not say \"$2\"; the end of $folder/$1.console:"
		tail -n 30 "$1.console" "$1.qemu"
	fi
}
said host 'brouter is running'
said host 'xenbr0.*192.168.10.1/24'
said guest 'guest: 192.168.10.1 answers'
said guest 'guest: 192.0.2.2 answers'
until grep -q 'guest: done' outside.console || [ $((SECONDS - began)) -gt 220 ]; do sleep 0.2; done
said outside 'guest: 192.0.2.1:8080 is served by.*192.168.10.11'
echo "$((SECONDS - began)) s"
exit $failed
