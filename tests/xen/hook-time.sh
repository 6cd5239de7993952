#!/bin/bash
# A job of Debian's dom0: measures the run time of the hook, ours and Xen's script in turn, with a clock that counts instructions,
# 2 ns each (run.sh starts qemu with -icount). A unit is a microsecond of that clock. No guest takes part: the script writes the
# backends to xenstore, and the interfaces are dummies.
guests=4
most=20 # ours takes at most a 20th of the script's time
export XENBUS_TYPE=vif XENBUS_BASE_PATH=backend
brctl addbr xenbr0
ip link set xenbr0 up
rmmod xen_netback
modprobe dummy numdummies=0
for n in $(seq $guests); do
	backend=/local/domain/0/backend/vif/$n/0
	ip link add "vif$n.0" type dummy
	xenstore-write "$backend/frontend" "/local/domain/$n/device/vif/0" "$backend/bridge" xenbr0 "$backend/handle" 0 "$backend/type" vif
done
# antispoof=no below: Debian's script makes no rules, so ours must not
declare -A time
# done_by WORD NUMBER: checks the interface afterwards
done_by() {
	case $1 in
	online) [ "$(xenstore-read "backend/vif/$2/0/hotplug-status")" = connected ] && [ -e "/sys/class/net/xenbr0/brif/vif$2.0" ] ;;
	offline) [ ! -e "/sys/class/net/xenbr0/brif/vif$2.0" ] && xenstore-rm "backend/vif/$2/0/hotplug-status" ;;
	esac
}
run() {
	local hook=$1 word=$2 n began status
	for n in $(seq $guests); do
		began=${EPOCHREALTIME/./}
		XENBUS_PATH=backend/vif/$n/0 vif=vif$n.0 "$hook" "$word" type_if=vif antispoof=no >/dev/null 2>&1 </dev/null
		status=$?
		time[$hook $word]=$((${time[$hook $word]-0} + ${EPOCHREALTIME/./} - began))
		if [ $status != 0 ] || ! done_by "$word" "$n"; then
			echo "=> FAILED: $hook $word vif$n.0, status $status"
			tail /var/log/xen/xen-hotplug.log
			exit 1
		fi
	done
}
ours=/usr/local/sbin/vif-bridge
script=/etc/xen/scripts/vif-bridge
# the first round loads the programs into memory, the second counts
for _ in 1 2; do
	time=()
	for hook in $ours $script; do run $hook online; run $hook offline; done
done
# While everything sleeps the clock jumps to the next timer. Half of our offline is the kernel's wait in the ioctl that removes a
# port from its bridge; the script's offline includes it too.
status=0
verdict() {
	local what=$1 o=$(($2 / guests)) s=$(($3 / guests)) verdict=ok
	[ $((o * most)) -le $s ] || { verdict=FAILED; status=1; }
	echo "=> $verdict: $what: ours $o units, Xen's script $s: one in $((s / o)), wanted one in $most"
}
on=${time[$ours online]} off=${time[$ours offline]} script_on=${time[$script online]} script_off=${time[$script offline]}
verdict online "$on" "$script_on"
verdict 'online and offline' $((on + off)) $((script_on + script_off))
exit $status
