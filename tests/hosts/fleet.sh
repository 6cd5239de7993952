# The Ansible role against three hosts, each in namespaces that a connection plugin enters.

names=(alpha beta gamma)
for n in 1 2 3; do
    add_host "${names[n - 1]}" $n
    on "${names[n - 1]}" mount -t tmpfs tmpfs /usr/local/sbin
done
. "$here/fleet/ansible.sh"
# the static program, copied; networks are not started at boot
own=('brouter_install: file' "brouter_file: $programs/brouter" 'brouter_service: none')
# what the role can change on a host
state() { on "$1" sh -c 'ls -l /etc/brouter /usr/local/sbin; cat /etc/brouter/*; /sbin/ip -o -4 addr; iptables -t nat -S' 2>&1; }
states() { for name in "${names[@]}"; do state $name; done; }

variables "${own[@]}" 'brouter_networks:' '  dmz: {bridge: xenbr0, mac: "02:00:5e:00:00:01", address: [192.168.10.1/24, "fd00::1/64"],' \
    '    outside: eth0, masquerade: true, stp: false}' '  lan: {address: 10.7.0.1/24, forward_delay: 0}'
before=$(states)
said=$(play --check --diff) || failures=$((failures + 1))
check "check mode on a host without brouter" test -n "$(grep 'alpha .*changed=' <<<"$said")"
check "check mode has changed nothing" test "$before" = "$(states)"
# program, two files, two networks (the tasks with a loop count once)
check "the first play" changes 3
for name in "${names[@]}"; do
    check "$name: dmz is well" on "$name" /usr/local/sbin/brouter status dmz
    check "$name: lan is well" on "$name" /usr/local/sbin/brouter status lan
done
add_guest 11 alpha xenbr0
check "a guest reaches the outside" reaches 11 198.51.100.1
before=$(states)
check "the second play changes nothing" changes 0
check "nothing has changed" test "$before" = "$(states)"

variables "${own[@]}" 'brouter_networks:' '  dmz: {bridge: xenbr0, mac: "02:00:5e:00:00:01", address: [192.168.10.1/24, 10.8.0.1/24],' \
    '    outside: eth0, masquerade: true, stp: false}' 'brouter_absent: [lan]'
before=$(states)
# a file, a network less, its file, a network changed
check "a change in check mode" changes 4 --check -v
check "shows the steps" grep -q 'ip addr add 10.8.0.1/24 dev xenbr0' "$lab/plays"
check "check mode has changed nothing" test "$before" = "$(states)"
check "a change" changes 4
check "the guest keeps the outside" reaches 11 198.51.100.1
for name in "${names[@]}"; do
    check "$name: lan is gone" refuses on "$name" test -e /sys/class/net/lan
    check "$name: dmz has the address" on "$name" sh -c '/sbin/ip -o addr show dev xenbr0 | grep -q 10.8.0.1/24'
done

on beta ip link set xenbr0 down
check "a network that was put out of order is repaired" play
check "beta: dmz is well" on beta /usr/local/sbin/brouter status dmz
on gamma ip link add port type veth peer name far
on gamma ip link set port master xenbr0
check "a network out of order that up does not repair fails the play" refuses play
