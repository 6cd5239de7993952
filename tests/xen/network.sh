#!/bin/sh
# A job of both dom0s: the network of README.md. Two guests, attached by our vif-bridge, ping the bridge, each other and, through
# masquerading, 10.0.2.2, which is qemu. ip and brctl are Debian's on one dom0, ours on the other.
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

# Xen's own script, if installed, is the default: name ours as README.md does
if [ -e /usr/local/sbin/vif-bridge ]; then
	echo 'vif.default.script="/usr/local/sbin/vif-bridge"' >/etc/xen/xl.conf
else
	: >/etc/xen/xl.conf
fi

ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
check 'network-virtual start' network-virtual start bridgeip=192.168.10.1/24 masquerade=yes

# guest NUMBER PINGS BRIDGE
guest() {
	cat >"/tmp/guest$1" <<CONFIGURATION
name="guest$1"
type="pv"
kernel="/guest/vmlinux"
ramdisk="/guest/initrd"
extra="console=hvc0 quiet address=192.168.10.1$1/24 router=192.168.10.1 ping=$2"
memory=128
vcpus=1
on_crash="destroy"
vif=["mac=00:16:3e:00:00:0$1,bridge=$3"]
CONFIGURATION
	xl create "/tmp/guest$1"
}
check 'xl create guest1' guest 1 192.168.10.1,192.168.10.12,10.0.2.2 xenbr0
check 'xl create guest2' guest 2 192.168.10.1,192.168.10.11,10.0.2.2 xenbr0
xl list
brctl show
ip addr show xenbr0

consoles=/var/log/xen/console
tries=0
while [ $failed = 0 ] && [ $tries -lt 150 ]; do
	[ "$(cat $consoles/guest-guest[12].log 2>/dev/null | grep -c 'guest: done')" = 2 ] && break
	sleep 1
	tries=$((tries + 1))
done
answers() { grep -q "guest: $2 answers" "$consoles/guest-guest$1.log"; }
check 'guest1 pings the bridge' answers 1 192.168.10.1
check 'guest2 pings the bridge' answers 2 192.168.10.1
check 'guest1 pings guest2' answers 1 192.168.10.12
check 'guest2 pings guest1' answers 2 192.168.10.11
check 'guest1 pings a host outside' answers 1 10.0.2.2
check 'guest2 pings a host outside' answers 2 10.0.2.2
[ $failed = 0 ] || tail -n 40 $consoles/guest-guest[12].log

masqueraded() { iptables -t nat -nvL POSTROUTING | grep '[1-9][0-9]*  *[0-9]* MASQUERADE .* 192.168.10.0/24'; }
check 'which are masqueraded' masqueraded
check 'both guests are ports' [ -e /sys/class/net/xenbr0/brif/vif1.0 -a -e /sys/class/net/xenbr0/brif/vif2.0 ]
let_through() { [ "$(iptables -S FORWARD | grep -c -e '--physdev-.* vif[12].0 .*ACCEPT')" = 4 ]; }
check 'the firewall lets both through' let_through
check 'the network is up' network-virtual status bridgeip=192.168.10.1/24
key() { [ "$(xenstore-read "backend/vif/$1")" = "$2" ]; }
if [ -e /usr/local/sbin/vif-bridge ]; then
	for n in 1 2; do
		check "guest$n was attached by our vif-bridge" key "$n/0/script" /usr/local/sbin/vif-bridge
		check 'which told the toolstack' key "$n/0/hotplug-status" connected
	done
fi

check 'a guest whose bridge is not there is refused' not guest 3 192.168.10.1 nosuch
cat /tmp/said
check 'with the reason in the log' grep 'Could not find bridge device nosuch' /var/log/xen/xen-hotplug.log

check 'xl destroy guest1' xl destroy guest1
check 'xl destroy guest2' xl destroy guest2
gone() { ls /sys/class/net/vif*; [ "$(echo /sys/class/net/xenbr0/brif/*)" = '/sys/class/net/xenbr0/brif/*' ]; }
check 'no port is left' gone
check 'network-virtual stop' network-virtual stop bridgeip=192.168.10.1/24 masquerade=yes
check 'no bridge is left, and no forwarding' [ ! -e /sys/class/net/xenbr0 -a "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
rules() { { iptables -S; iptables -t nat -S; } | grep -e vif -e MASQUERADE; }
check 'no rule is left' not rules
exit $failed
