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

# Guests 11 to 210: guest N is on host N modulo 3, and its partner on another: 11 and 12, 13 and 14, and so on. A guest has two
# neighbours, its gateway and its partner: guests are namespaces, which share the machine's table of 1,024 neighbours.
host_of_guest() { echo "${names[$1 % 3]}"; }
partner() { echo $(($1 % 2 ? $1 + 1 : $1 - 1)); }
guests=$(seq 11 210)
for guest in $guests; do add_guest "$guest" "$(host_of_guest "$guest")" xenbr0; done

# column FILE NUMBER: the sum of a column of hexadecimal numbers, with or without a line of names
column() {
    local line sum=0
    while read -ra line; do
        [[ ${line[$2]-x} != *[!0-9a-f]* ]] && sum=$((sum + 16#${line[$2]}))
    done <"$1"
    echo $sum
}
# refused_neighbours: how often the kernel had no room for a neighbour, in any namespace of the machine
refused_neighbours() { column /proc/self/fd/9 12; }
# dropped: what the kernel has dropped, as a loaded machine does: full backlogs, TAPs and sockets, no room for a neighbour
dropped() {
    local name sum
    sum=$(($(column /proc/net/softnet_stat 1) + $(refused_neighbours)))
    for name in alpha beta; do
        sum=$((sum + $(on $name sh -c 'cat /sys/class/net/tinc0/statistics/tx_dropped;
            awk "/^Udp: [0-9]/ { print \$6 }" /proc/net/snmp' | paste -sd+)))
    done
    echo $sum
}
# ping_once GUEST gateway|outside|partner
ping_once() {
    local to
    case $2 in gateway) to=192.168.10.1 ;; outside) to=198.51.100.1 ;; partner) to=192.168.10.$(partner "$1") ;; esac
    guest "$1" ping -n -c 1 -W 2 "$to" >/dev/null 2>&1
}
# all_reach WHAT SECONDS: asks each guest, and those that get no answer again, until all have one; says how many were asked again
all_reach() {
    local what=$1 end=$((SECONDS + $2)) left=$guests next guest again=0 full
    full=$(refused_neighbours)
    declare -A pids
    while :; do
        next=''
        for guest in $left; do
            ping_once "$guest" "$what" &
            pids[$guest]=$!
        done
        for guest in $left; do wait "${pids[$guest]}" || next+=" $guest"; done
        [ -n "$next" ] || break
        left=$next
        again=$((again + $(wc -w <<<"$left")))
        [ $SECONDS -lt "$end" ] || break
    done
    full=$(($(refused_neighbours) - full))
    [ $again = 0 ] || echo "        asked again: $again times, the machine's table of neighbours was full $full times" >>"$lab/notes"
    [ -z "$next" ] || { echo "guests without an answer from their $what:$next"; return 1; }
}
# notes: prints what the last check has noted
notes() { cat "$lab/notes" 2>/dev/null; rm -f "$lab/notes"; }
for what in gateway outside partner; do
    check "200 guests reach their $what" all_reach $what 20
    notes
done

# Each guest pings its partner every half second.
before=$(dropped)
for guest in $guests; do
    guest "$guest" ping -n -D -i 0.5 -c 40 -W 5 "192.168.10.$(partner "$guest")" >"$lab/ping.$guest" 2>&1 &
done
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
check "200 guests reach their partner again" all_reach partner 30
notes
echo "        after $((SECONDS - started)) s"
for job in $(jobs -p); do
    case " ${host_of[*]} " in *" $job "*) ;; *) wait "$job" ;; esac
done
# count HOST OTHER: LOST SENT of the pings of guests on a host to guests on another
count() {
    local guest
    for guest in $guests; do
        if [ "$(host_of_guest "$guest") $(host_of_guest "$(partner "$guest")")" = "$1 $2" ]; then
            sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$lab/ping.$guest"
        fi
    done | awk '{ sent += $1; got += $2 } END { print sent - got, sent + 0 }'
}
before=$(($(dropped) - before))
for pair in 'alpha beta' 'beta alpha' 'beta gamma' 'gamma alpha'; do
    # shellcheck disable=SC2086 # two words
    read -r lost sent <<<"$(count $pair)"
    echo "        ${pair/ / to }: $lost of $sent lost"
    case $pair in *gamma*) ;; *) check "${pair/ / and } lose nothing but what the kernel drops: $before" test "$lost" -le $before ;; esac
done
check "each guest has its gateway" all_reach gateway 20
notes
for name in "${names[@]}"; do check "$name: all is well" on "$name" brouter status dmz; done
