#!/bin/sh
# Runs on the machine of boot.sh after booting. Checks the networks of the initramfs and of systemd, in the unit's own sandbox and
# with both kinds of iptables, and that a purge of the package removes everything.
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C SYSTEMD_PAGER=cat
. "${0%/*}/checks.sh"
here() { [ -e "/sys/class/net/$1" ]; }
log() { journalctl -q -b --no-pager -u "brouter@$1" -o cat; }
masqueraded() { has "-s $1 ! -o $2 -j MASQUERADE" iptables -t nat -S; }
up() {
	check "$1 is up" systemctl is-active "brouter@$1" || log "$1"
	check 'its bridge has its address' has "$2" brouter ip -o addr show "br-$1"
}

systemctl is-system-running --wait
up early 10.1.0.1/24
check 'the initramfs has made it: nothing was left for systemd to do' not has 'brctl addbr' log early
check 'it is masqueraded' masqueraded 10.1.0.0/24 br-early
up dmz 192.168.10.1/24
check 'systemd has made it' has 'brctl addbr br-dmz' log dmz
check 'it is masqueraded' masqueraded 192.168.10.0/24 br-dmz
check 'packets are forwarded' [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]

echo address=192.168.20.1/24 >>/etc/brouter/dmz.conf
check 'reload makes the difference' systemctl reload brouter@dmz
check 'an address' has 192.168.20.1/24 brouter ip -o addr show br-dmz
check 'which is masqueraded' masqueraded 192.168.20.0/24 br-dmz
check 'a network without a file fails' not systemctl start brouter@nosuch
check 'stop' systemctl stop brouter@dmz
check 'takes it away' not here br-dmz
check 'and its rules' not masqueraded 192.168.20.0/24 br-dmz
systemctl stop brouter@early

update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null
rm -f /run/xtables.lock
check 'iptables of the legacy kind' has legacy iptables --version
check 'start' systemctl start brouter@dmz || log dmz
check 'it is masqueraded' masqueraded 192.168.10.0/24 br-dmz
check 'restart' systemctl restart brouter@dmz
check 'it is up' here br-dmz
systemctl start brouter@early

check 'purge' apt-get purge -q -y brouter
check 'no network is left' not here br-dmz
check 'nor the other' not here br-early
check 'nor a rule' not has MASQUERADE iptables -t nat -S
check 'nor forwarding' [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
left() {
	find / -xdev \( -path /proc -o -path /sys -o -path /packages -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \
		-o -path /var/lib/apt \) -prune -o -name '*brouter*' -print | grep .
}
check 'nor a file' not left
check 'nor a unit that is active' not has brouter systemctl list-units --plain --no-legend --state=active 'brouter@*'
echo "booted: status $failed"
