#!/bin/bash
#
# network-virtual as it was: the reference for the tests, not a script to use.
#
# The original was a network script for Xen 3.0 on SUSE hosts (2006), which xend called through a line of its configuration,
#     (network-script 'network-virtual bridgeip="192.168.10.1/24" brnet="192.168.10.0/24"')
# It makes a brouter: a bridge for the guests that has an address and no physical interface. The host routes between the bridge
# and the outside, and its firewall masquerades. The script was published on a wiki, and damaged there. This is a rewrite with
# the same behaviour, faults included: it evaluates its arguments, stops halfway at the first error, cannot be started twice,
# and `antispoof=yes` calls a function that was never published. tests/cases/network-virtual.cases compares ours with it;
# DEVIATIONS.md lists where ours is better.
#
# network-virtual (start|stop|status) {VAR=VAL}*
#
#   vifnum     0               the number in the names below
#   bridge     xenbr${vifnum}  the bridge; null: do nothing
#   netdev     eth${vifnum}    the interface to the outside, shown by status
#   bridgeip                   ADDRESS/PREFIX of the bridge
#   brnet                      its network; unused: the kernel creates the route
#   antispoof  no

set -e

# Sets $command to the first argument without `=`; without one, its value in the environment stays.
findCommand() {
    local arg
    for arg; do
        case $arg in
            *=*) ;;
            *) command=$arg; return ;;
        esac
    done
}

# Evaluates every argument with a `=` past its first character.
evalVariables() {
    local arg
    for arg; do
        case $arg in
            [!=]*=*) eval "$arg" ;;
        esac
    done
}

start() {
    if [ ! -e "/sys/class/net/$bridge/bridge" ]; then
        brctl addbr "$bridge"
        brctl stp "$bridge" off
        brctl setfd "$bridge" 0
    fi
    ip link set "$bridge" up
    if [ -e "/sys/class/net/$bridge" ]; then
        ip addr add "$bridgeip" dev "$bridge"
        ip link set "$bridge" up
    fi
    if [ "$antispoof" = yes ]; then
        antispoofing
    fi
    rcSuSEfirewall2 start
}

stop() {
    if [ ! -e "/sys/class/net/$bridge" ]; then
        return
    fi
    ip link set "$bridge" down
    ip addr del "$bridgeip" dev "$bridge"
    brctl delbr "$bridge"
    # start, not stop: the firewall reads its interfaces again.
    rcSuSEfirewall2 start
}

status() {
    echo ============================================================
    ip addr show "$netdev"
    ip addr show "$bridge"
    echo ' '
    brctl show "$bridge"
    echo ' '
    ip route
    echo ============================================================
}

findCommand "$@"
evalVariables "$@"

vifnum=${vifnum:-0}
bridge=${bridge:-xenbr$vifnum}
netdev=${netdev:-eth$vifnum}
antispoof=${antispoof:-no}

case $command in
    start | stop)
        if [ "$bridge" != null ]; then
            "$command"
        fi
        ;;
    status)
        status
        ;;
    *)
        echo "Unknown command: $command" >&2
        echo 'Valid commands are: start, stop, status' >&2
        exit 1
        ;;
esac
