#!/bin/bash
# run.sh PROGRAMS FOLDER: tests PROGRAMS on a real Xen 4.17 in qemu. FOLDER keeps Debian's packages, the images and the consoles.
#
# Boots three times: the network of README.md on Debian's dom0, the same on a minimal dom0, and the run time of the hook.
set -u
here=$(dirname "$(readlink -f "$0")")
folder=$2
"$here/image.sh" "$1" "$folder" || exit
cd "$folder" || exit
failed=0

# boot DOM0 JOB QEMU-OPTION...
boot() {
	local dom0=$1 job=$2 console=$1-${2%.sh}.console began=$SECONDS
	shift 2
	echo "$job on the dom0 '$dom0' ($(($(stat -c %s "$dom0.cpio" vmlinux guest.cpio | paste -sd-) >> 20)) MiB, without the guests)"
	timeout -k 5 260 qemu-system-x86_64 -machine pc -accel tcg,tb-size=512 -m 2048 -nodefaults -display none -monitor none \
		-serial stdio -no-reboot -netdev user,id=outside -device e1000,netdev=outside,romfile= "$@" -kernel xen \
		-append 'com1=115200,8n1 console=com1 loglvl=error guest_loglvl=error dom0_mem=1024M,max:1024M dom0_max_vcpus=1' \
		-initrd "vmlinux console=hvc0 quiet panic=1 job=$job,$dom0.cpio" </dev/null 2>&1 |
		sed -u 's/\r//g' | tee "$console" | sed -un 's/.*=> /    /p'
	if ! grep -q "=> $job ended with status 0" "$console" || grep -q '=> FAILED' "$console"; then
		failed=1
		echo "    FAILED; the end of $folder/$console:"
		tail -n 60 "$console"
	fi
	echo "    $((SECONDS - began)) s"
}

boot dom0 network.sh
boot minimal network.sh
boot dom0 hook-time.sh -icount shift=1,sleep=off
exit $failed
