# 200 guests on three hosts, and what they lose while one host is restarted.

names=(alpha beta gamma)
mac=02:00:5e:00:00:01
for n in 1 2 3; do add_host "${names[n - 1]}" $n; done
mkdir "$lab/keys"
for n in 1 2 3; do
    name=${names[n - 1]}
    on "$name" bash -c '
        printf "%s\n" bridge=xenbr0 mac=$3 address=192.168.10.1/24 outside=eth0 masquerade=yes tunnel=tinc0 >/etc/brouter/dmz.conf
        mkdir -p /etc/tinc/dmz/hosts; cd /etc/tinc/dmz
        printf "%s\n" Name=$1 Mode=switch DeviceType=tap Interface=tinc0 >tinc.conf
        for other in alpha beta gamma; do [ $other = $1 ] || echo ConnectTo=$other; done >>tinc.conf
        printf "%s\n" "#!/bin/sh" "ebtables -A OUTPUT -o tinc0 -s $3 -j DROP" "brouter up dmz" >tinc-up
        chmod 755 tinc-up; echo Address=192.0.2.$2 >hosts/$1; tincd -n dmz -K2048 </dev/null; cp hosts/$1 $4' \
        bash "$name" $n $mac "$lab/keys/" >/dev/null 2>&1
done
for name in "${names[@]}"; do
    on "$name" sh -c "cp $lab/keys/* /etc/tinc/dmz/hosts/; brouter up dmz; tincd -n dmz" >/dev/null
done
for name in "${names[@]}"; do check "$name: the tunnel is a port" within 10 on "$name" test -e /sys/class/net/xenbr0/brif/tinc0; done

# guests 11 to 210: guest N is on host N modulo 3
host_of_guest() { echo "${names[$1 % 3]}"; }
guests=$(seq 11 210)
for guest in $guests; do add_guest "$guest" "$(host_of_guest "$guest")" xenbr0; done
all_have() {
    local guest pids=() lost=0
    for guest in $guests; do
        reaches "$guest" "$1" &
        pids+=($!)
    done
    for guest in "${pids[@]}"; do wait "$guest" || lost=$((lost + 1)); done
    [ $lost = 0 ] || { echo "$lost guests do not reach $1"; return 1; }
}
check "200 guests reach their gateway" all_have 192.168.10.1
check "200 guests reach the outside" all_have 198.51.100.1
check "200 guests reach one guest" within 20 all_have 192.168.10.11

# Each guest pings the next, which is on another host, every half second.
pings() {
    local guest next
    for guest in $guests; do
        next=$((guest == 210 ? 11 : guest + 1))
        ip netns exec "g$guest" ping -n -q -i 0.5 -c 40 -W 5 "192.168.10.$next" >"$lab/ping.$guest" 2>&1 &
    done
}
pings
sleep 4
# gamma fails without a word, and its guests with it
on gamma sh -c 'kill -9 $(cat /run/tinc.dmz.pid | cut -d" " -f1)'
gone=$(for guest in $guests; do [ "$(host_of_guest "$guest")" != gamma ] || echo "$guest"; done)
for guest in $gone; do on gamma ip link set "vif$guest.0" down; done
on gamma brouter down dmz >/dev/null
sleep 3
on gamma sh -c 'brouter up dmz; tincd -n dmz' >/dev/null
for guest in $gone; do on gamma ip link set "vif$guest.0" master xenbr0 up; done
started=$SECONDS
check "gamma: the tunnel is back" within 10 on gamma test -e /sys/class/net/xenbr0/brif/tinc0
check "200 guests reach one guest again" within 30 all_have 192.168.10.11
echo "        after $((SECONDS - started)) s"
for job in $(jobs -p); do
    case " ${host_of[*]} " in *" $job "*) ;; *) wait "$job" ;; esac
done
# count LOST SENT of the pings of guests on a host
count() {
    local guest
    for guest in $guests; do
        if [ "$(host_of_guest "$guest")" = "$1" ]; then
            sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$lab/ping.$guest"
        fi
    done | awk '{ sent += $1; got += $2 } END { print sent - got, sent }'
}
# guests of host N ping those of host N + 1: alpha's ping beta's, which are not concerned
for name in "${names[@]}"; do
    next=beta; [ $name = alpha ] || { next=gamma; [ $name = beta ] || next=alpha; }
    read -r lost sent <<<"$(count $name)"
    echo "        $name to $next: $lost of $sent lost"
    [ $name != alpha ] || check "guests of alpha and beta lose a twentieth at most" test $((lost * 20)) -le "$sent"
done
check "each guest has its gateway" all_have 192.168.10.1
for name in "${names[@]}"; do check "$name: all is well" on "$name" brouter status dmz; done
