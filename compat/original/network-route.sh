#!/bin/bash
#
# network-route as it was: the reference for the tests, not a script to use.
#
# xend of Xen 3.0 to 4.4 called it at each start, through its line (network-script network-route). This is a rewrite with the
# behaviour of Xen 4.1 to 4.4, faults included: it evaluates its arguments, has no commands, and undoes nothing.
#
# network-route [start] {VAR=VAL}*
#
#   netdev  eth0  the interface to the outside

for arg; do
    case $arg in
        [!=]*=*) eval "$arg" ;;
    esac
done

echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv4/conf/"${netdev:-eth0}"/proxy_arp
