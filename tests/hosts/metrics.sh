# The metrics of a host, judged by Prometheus' own promtool.

promtool=$here/../../build/prometheus/usr/bin/promtool
add_host alpha 1
printf '%s\n' bridge=xenbr0 address=192.168.10.1/24 address=fd00::1/64 outside=eth0 masquerade=yes publish=8080:192.168.10.11:80 tunnel=tinc0 |
    on alpha tee /etc/brouter/dmz.conf >/dev/null
metrics() { on alpha sh -c "brouter status --prometheus $1 >$lab/metrics.new && mv $lab/metrics.new $lab/metrics"; }
promtool() { "$promtool" check metrics <"$lab/metrics" 2>&1; }
# refused SED WHAT: whether promtool finds fault with the metrics, once sed has put something wrong into them
refused() {
    sed "$1" "$lab/metrics" >"$lab/planted"
    ! cmp -s "$lab/metrics" "$lab/planted" || { echo "nothing is changed"; return 1; }
    local said
    said=$("$promtool" check metrics <"$lab/planted" 2>&1) && [ -z "$said" ] && return 1
    grep -q "$2" <<<"$said" || { echo "$said"; return 1; }
}
said_nothing() { local said; said=$(promtool) && [ -z "$said" ] || { echo "$said"; return 1; }; }
check "a host without a bridge" metrics ''
check "promtool takes them" said_nothing
on alpha brouter up dmz >/dev/null
add_guest 11 alpha xenbr0
# names that a collector must not stumble over
on alpha ip link add $'x"y\\z' type bridge
on alpha ip link add $'e\e[2J\xff' type veth peer name far1
on alpha ip link add $'e\e[2J\xfe' type veth peer name far2
on alpha ip link set $'e\e[2J\xff' master xenbr0
on alpha ip link set $'e\e[2J\xfe' master xenbr0
check "guest 11 reaches the gateway" reaches 11 192.168.10.1
check "a host with faults" metrics ''
check "promtool takes them" said_nothing
check "promtool refuses a name that is not quoted" refused 's/{bridge="xenbr0"}/{bridge=xenbr0}/' 'error while linting'
check "promtool refuses a metric without help" refused '/^# HELP brouter_bridge_up /d' 'brouter_bridge_up no help text'
check "promtool refuses a counter without _total" refused 's/brouter_port_receive_bytes_total/brouter_port_receive_bytes/' \
    'brouter_port_receive_bytes counter metrics should have "_total" suffix'
check "promtool refuses another type" refused 's/^\(# TYPE .*_total\) counter/\1 gauge/' 'non-counter metrics should not have "_total" suffix'
check "faults are counted" grep -q '^brouter_bridge_faults{bridge="xenbr0",kind="port-not-forwarding"} 2$' "$lab/metrics"
check "guests' bytes are counted" grep -q '^brouter_port_receive_bytes_total{bridge="xenbr0",port="vif11.0"} [1-9]' "$lab/metrics"
check "one network" metrics dmz
check "promtool takes it" said_nothing
before=$(cat "$lab/metrics")
check "a network that does not exist" refuses metrics nosuch
check "leaves the metrics that were there" test "$before" = "$(cat "$lab/metrics")"
