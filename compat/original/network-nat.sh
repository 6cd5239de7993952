#!/bin/bash
#
# network-nat as it was: the reference for the tests, not a script to use.
#
# xend of Xen 3.0 to 4.4 called it at each start, through its line (network-script network-nat). This is a rewrite with the
# behaviour of Xen 3.1 to 4.4 without dhcpd, faults included: it evaluates its arguments, ends a start that has succeeded with
# status 1, adds its rule again at each start, and leaves forwarding on.
#
# network-nat (start|stop|status) {VAR=VAL}*
#
#   netdev  eth0  the interface to the outside
#   dhcp    no    edit the files of dhcpd (not rewritten)

for arg; do
    case $arg in
        *=*) ;;
        *) command=$arg; break ;;
    esac
done
for arg; do
    case $arg in
        [!=]*=*) eval "$arg" ;;
    esac
done

netdev=${netdev:-eth0}

case $command in
    start)
        echo 1 >/proc/sys/net/ipv4/ip_forward
        iptables -t nat -A POSTROUTING -o "$netdev" -j MASQUERADE
        [ "${dhcp:-no}" != no ]
        ;;
    stop)
        iptables -t nat -D POSTROUTING -o "$netdev" -j MASQUERADE
        ;;
    status)
        echo ============================================================
        ifconfig
        echo ' '
        ip route list
        echo ' '
        route -n
        echo ============================================================
        ;;
    *)
        echo "Unknown command: $command" >&2
        echo 'Valid commands are: start, stop, status' >&2
        exit 1
        ;;
esac
