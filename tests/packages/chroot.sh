#!/bin/sh
# Runs in a clean Debian, in its own namespaces, with the packages in /packages: installs them, brings networks up as the services
# do, removes and purges the packages. Nothing may be left.
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
. "${0%/*}/checks.sh"

# state FILE: records every file of the system with its owner, mode, target and contents; except dpkg's own records, and the
# initramfs, which is rebuilt whenever a hook changes
state() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /packages \
		-o -name 'initrd.img-*' -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \) -prune -o \
		\( -type f -printf '%p %M %u %g ' -exec md5sum {} \; -o -printf '%p %M %u %g %l\n' \) | sort >"$1"
}

# as_unit COMMAND...: runs it with the capabilities that the unit grants, without systemd
as_unit() {
	setpriv --no-new-privs --bounding-set=-all,+net_admin,+net_raw --inh-caps=-all "$@"
}
# unit KEY NAME: prints the command of the installed unit
unit() { sed -n "s/^$1=//p" /lib/systemd/system/brouter@.service | sed "s/%i/$2/"; }
here() { [ -e "/sys/class/net/$1" ]; }
nothing() {
	[ -z "$(find /sys/class/net -name 'br*')$(find /run/brouter -type f 2>/dev/null)" ] &&
		not has MASQUERADE iptables -t nat -S
}

state /tmp/before
rules=$(iptables -S)
check 'brouter installs' dpkg -i /packages/brouter_*.deb
for page in brouter network-virtual vif-bridge ip-brouter brctl-brouter; do
	check "man $page" has NAME man $page
done
check 'brouter.service is masked: a network is an instance' [ "$(readlink /lib/systemd/system/brouter.service)" = /dev/null ]

nothing_said() { said=$("$@" 2>&1) && echo "$said" && [ -z "$said" ]; }
check 'systemd-analyze verify' nothing_said systemd-analyze verify --man=no brouter@dmz.service
check 'systemd-analyze security: at most 2.5' systemd-analyze security --offline=true --no-pager --threshold=25 brouter@.service

cat >/etc/brouter/dmz.conf <<'CONF'
bridge=br-dmz
address=192.168.10.1/24
masquerade=yes
CONF
cat >/etc/brouter/test.conf <<'CONF'
bridge=br-test
address=10.99.0.1/24
CONF

# shellcheck disable=SC2046 # words
check "the unit's command, with the unit's rights: $(unit ExecStart dmz)" as_unit $(unit ExecStart dmz)
check 'has made the network' has 192.168.10.1/24 brouter ip -o addr show br-dmz
check 'which is masqueraded' has '-s 192.168.10.0/24 ! -o br-dmz -j MASQUERADE' iptables -t nat -S
# shellcheck disable=SC2046
check "$(unit ExecStop dmz)" as_unit $(unit ExecStop dmz)
check 'has taken it away' nothing

# shellcheck disable=SC2209
script=/etc/init.d/brouter
check 'the script starts what the files name' has 'network of guests test.' $script start
check 'both networks' here br-dmz
check 'are there' here br-test
check 'a second start finds nothing to do' $script start
check 'its status' has br-test $script status
check 'it stops one' $script stop test
check 'which is gone' not here br-test
$script status >/dev/null 2>&1
check 'and says so by status 3' [ $? = 3 ]
check 'it stops all' $script stop
check 'and all is gone' nothing

$script start >/dev/null
check 'removal' apt-get remove -q -y brouter
check 'takes the networks down' nothing
check 'leaves their files' [ -e /etc/brouter/dmz.conf ]
check 'purge' apt-get purge -q -y brouter
state /tmp/after
check 'nothing is left of brouter' diff /tmp/before /tmp/after
check 'nor of its hook' not has brouter lsinitramfs /boot/initrd.img-*
check 'nor a rule' [ "$rules" = "$(iptables -S)" ]

check 'brouter-tools installs' dpkg -i /packages/brouter_*.deb /packages/brouter-tools_*.deb
check 'brctl' has brouter readlink -f "$(command -v brctl)"
check 'ip' has LOOPBACK /bin/ip link show lo
check '/sbin/ip' has LOOPBACK /sbin/ip link show lo
for page in brctl ip; do check "man $page" has NAME man $page; done
check 'both are purged' apt-get purge -q -y brouter brouter-tools
state /tmp/after
check 'nothing is left of either' diff /tmp/before /tmp/after

### With iproute2 and bridge-utils installed

check 'iproute2 and bridge-utils beside brouter' dpkg -i /packages/brouter_*.deb /packages/originals/*.deb
# taken BY: checks that brouter-tools has both names, and that only configuration is left of the other packages
taken() {
	check "brouter-tools takes their place, by $1" "$@" /packages/brouter-tools_*.deb
	check 'ip is ours' has /usr/sbin/brouter readlink -f /bin/ip
	check 'and works' has LOOPBACK /sbin/ip link show lo
	check 'brctl is ours' has /usr/sbin/brouter readlink -f /sbin/brctl
	check 'what needs them is content' apt-get check
}
# given_back BY: checks that the originals have their names again
given_back() {
	check "and the originals theirs, by $1" "$@" /packages/originals/*.deb
	check 'ip is the original' not has brouter readlink -f /bin/ip
	check 'and so is brctl' not has brouter readlink -f /sbin/brctl
	check 'and both work' has bridge-utils eval '/sbin/ip -V && /sbin/brctl --version'
}
taken dpkg -i -B
dpkg --remove brouter-tools >/dev/null
given_back dpkg -i
taken apt-get install -q -y
given_back apt-get install -q -y

### Under OpenRC

check 'openrc installs' dpkg -i --force-depends /packages/openrc/*.deb
install /packages/brouter.openrc /etc/init.d/brouter
ln -s brouter /etc/init.d/brouter.test
printf 'bridge=br-dmz\naddress=192.168.10.1/24\n' >/etc/brouter/dmz.conf
printf 'bridge=br-test\naddress=10.99.0.1/24\n' >/etc/brouter/test.conf
mkdir -p /run/openrc
touch /run/openrc/softlevel
check 'it starts what the files name' rc-service brouter start
check 'both networks' here br-dmz
check 'are there' here br-test
echo address=192.168.20.1/24 >>/etc/brouter/dmz.conf
check 'reload makes the difference' rc-service brouter reload
check 'an address' has 192.168.20.1/24 brouter ip -o addr show br-dmz
check 'its status' has br-test rc-service brouter status
check 'it stops all' rc-service brouter stop
check 'and all is gone' nothing
check 'a link is a network' rc-service brouter.test start
check 'which is there' here br-test
check 'and no other' not here br-dmz
check 'it stops' rc-service brouter.test stop
check 'and is gone' nothing
exit $failed
