#!/bin/sh
# A job of both dom0s: two guests that are connected by routes. Each has an address of the network outside, which our vif-route publishes
# there. They ping qemu, which is the host outside, and each other; run.sh fetches a page from guest1, and says so at port 9.
failed=0
say() { echo "=> $*"; }
check() {
	what=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		say "ok: $what"
	else
		say "FAILED: $what"
		cat /tmp/said
		failed=1
	fi
}
not() { ! "$@"; }

script=/etc/xen/scripts/vif-route
[ ! -e /usr/local/sbin/vif-route ] || script=/usr/local/sbin/vif-route
: >/etc/xen/xl.conf
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2

# guest NUMBER PINGS
guest() {
	cat >"/tmp/guest$1" <<CONFIGURATION
name="guest$1"
type="pv"
kernel="/guest/vmlinux"
ramdisk="/guest/initrd"
extra="console=hvc0 quiet address=10.0.2.5$1/32 router=10.0.2.15 ping=$2"
memory=128
vcpus=1
on_crash="destroy"
vif=["mac=00:16:3e:00:00:0$1,ip=10.0.2.5$1,script=$script"]
CONFIGURATION
	xl create "/tmp/guest$1"
}
check 'xl create guest1' guest 1 10.0.2.15,10.0.2.2,10.0.2.52
check 'xl create guest2' guest 2 10.0.2.15,10.0.2.2,10.0.2.51
ip route show
cat /proc/net/arp

consoles=/var/log/xen/console
tries=0
while [ $failed = 0 ] && [ $tries -lt 150 ]; do
	[ "$(cat $consoles/guest-guest[12].log 2>/dev/null | grep -c 'guest: done')" = 2 ] && break
	sleep 1
	tries=$((tries + 1))
done
answers() { grep -q "guest: $2 answers" "$consoles/guest-guest$1.log"; }
check 'guest1 pings dom0' answers 1 10.0.2.15
check 'guest2 pings dom0' answers 2 10.0.2.15
check 'guest1 pings a host outside' answers 1 10.0.2.2
check 'guest2 pings a host outside' answers 2 10.0.2.2
check 'guest1 pings guest2' answers 1 10.0.2.52
check 'guest2 pings guest1' answers 2 10.0.2.51
[ $failed = 0 ] || tail -n 40 $consoles/guest-guest[12].log

fetched() { busybox timeout 60 busybox nc -l -p 9 </dev/null | grep -x 'fetched 10.0.2.51/32'; }
check 'a host outside fetches a page from guest1' fetched
published() { grep "^10\.0\.2\.5$1 .* 0xc .* eth0$" /proc/net/arp; }
check 'eth0 answers for guest1' published 1
check 'the route leads over the interface' grep '^vif2\.0	3402000A	' /proc/net/route
shown() { brouter status 2>&1 | grep 'vif1\.0.*10\.0\.2\.51'; }
check 'brouter status shows guest1' shown

check 'xl destroy guest1' xl destroy guest1
check 'eth0 answers for guest1 no longer' not published 1
check 'and for guest2 as before' published 2
check 'xl destroy guest2' xl destroy guest2
check 'no route is left' not grep '^vif' /proc/net/route
check 'and no published address' not grep ' 0xc ' /proc/net/arp
exit $failed
