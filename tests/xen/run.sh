#!/bin/bash
# run.sh PROGRAMS FOLDER: tests PROGRAMS on a real Xen 4.17 in qemu. FOLDER keeps Debian's packages, the images and the consoles.
#
# Boots five times: the network of README.md on Debian's dom0, the same on a minimal dom0, routed guests on both, and the run time of
# the hook.
set -u
here=$(dirname "$(readlink -f "$0")")
folder=$2
"$here/image.sh" "$1" "$folder" || exit
cd "$folder" || exit
failed=0

# ports of this machine that lead to guest1's page and to the job that waits for it (routed.sh)
port=$((20000 + $$ % 6000 * 2))
forwarded=hostfwd=tcp:127.0.0.1:$port-10.0.2.51:80,hostfwd=tcp:127.0.0.1:$((port + 1))-10.0.2.15:9

# visit PORT REQUEST: sends a request, prints the answer.
visit() { timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf %b "$1" >&3 && cat <&3' "$@" 2>/dev/null; }
# outside: fetches guest1's page again and again, and tells the job when it was served.
outside() {
	local page
	while :; do
		page=$(visit "$port" 'GET /address HTTP/1.0\r\n\r\n' | grep -x '10.0.2.51/32') && visit $((port + 1)) "fetched $page\n"
		sleep 2
	done
}

# boot DOM0 JOB QEMU-OPTION...
boot() {
	local dom0=$1 job=$2 console=$1-${2%.sh}.console began=$SECONDS
	shift 2
	echo "$job on the dom0 '$dom0' ($(($(stat -c %s "$dom0.cpio" vmlinux guest.cpio | paste -sd-) >> 20)) MiB, without the guests)"
	timeout -k 5 400 qemu-system-x86_64 -machine pc -accel tcg,tb-size=512 -m 2048 -nodefaults -display none -monitor none \
		-serial stdio -no-reboot -netdev "user,id=outside,$forwarded" -device e1000,netdev=outside,romfile= "$@" -kernel xen \
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
outside &
visitor=$!
trap 'kill $visitor' EXIT
boot dom0 routed.sh
boot minimal routed.sh
kill $visitor
trap - EXIT
boot dom0 hook-time.sh -icount shift=1,sleep=off
exit $failed
