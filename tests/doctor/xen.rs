//! Tests faults of a Xen host: interfaces that could not be attached, duplicate MAC addresses, no xenstored.

/// Names and scripts of the tests, which need `xen`.
pub(crate) const XEN: &[(&str, &str)] = &[
    (
        "Xen: an interface that could not be attached",
        r#"
        path=/local/domain/0/backend/vif/1/0
        ip link add vif1.0 type veth peer name x2; ip link set x2 up
        xenstore-write $path/bridge nosuch $path/script $(command -v vif-bridge) $path/mac 00:16:3e:00:00:01
        XENBUS_PATH=$path vif=vif1.0 vif-bridge online 2>/dev/null && echo "attached"
        brouter doctor | grep -q "^failure  hotplug: $path/hotplug-error: .*nosuch" || brouter doctor
        xenstore-write $path/bridge b0
        cut=; mends failure hotplug
        [ -e /sys/class/net/b0/brif/vif1.0 ] || echo "not attached"
        "#,
    ),
    (
        "Xen: a routed guest that is not reached",
        r#"
        path=/local/domain/0/backend/vif/1/0
        ip link add vif1.0 type veth peer name x2; ip link set x2 up
        xenstore-write $path/script $(command -v vif-route) $path/ip 192.0.2.50
        export XENBUS_PATH=$path vif=vif1.0
        vif-route online || cat /var/log/xen/xen-hotplug.log
        well "a routed guest"
        conf=/proc/sys/net/ipv4/conf cut=
        for value in vif1.0/proxy_arp vif1.0/forwarding eth0/forwarding; do
            echo 0 >$conf/$value; mends failure routed
        done
        echo 0 >$conf/all/rp_filter; echo 0 >$conf/vif1.0/rp_filter; mends warning routed
        ip route del 192.0.2.50; mends failure routed
        ip route add 192.0.2.50 dev eth0; mends failure routed
        ip neigh del proxy 192.0.2.50 dev eth0; mends failure routed
        "#,
    ),
    (
        "Xen: a guest with vif-nat that is not reached",
        r#"
        path=/local/domain/0/backend/vif/1/0
        # the address that vif-nat gives it, or one of its own
        for key in '' 10.7.0.5; do
            address=${key:-10.0.1.1}
            ip netns add g3; ip link add vif1.0 type veth peer name eth0 netns g3
            ip -n g3 addr add $address/16 dev eth0; ip -n g3 link set eth0 up; ip -n g3 route add default via ${address%.*}.$((${address##*.} + 127))
            xenstore-write $path/script $(command -v vif-nat) $path/frontend-id 1 $path/handle 0 ${key:+$path/ip $key}
            export XENBUS_PATH=$path vif=vif1.0
            vif-nat online || cat /var/log/xen/xen-hotplug.log
            network-nat start netdev=eth0
            reaches g3 192.0.2.2 3 || echo "guest $address does not reach the outside"
            well "a guest with vif-nat"
            conf=/proc/sys/net/ipv4/conf guest=g3
            for value in vif1.0/forwarding eth0/forwarding; do
                cut="g3 192.0.2.2"; echo 0 >$conf/$value; mends failure routed
            done
            cut=; echo 0 >$conf/vif1.0/proxy_arp; mends failure routed
            echo 0 >$conf/all/rp_filter; echo 0 >$conf/vif1.0/rp_filter; mends warning routed
            cut="g3 192.0.2.2"; ip route del $address; mends failure routed
            ip route change $address dev eth0; mends failure routed
            vif-nat offline; ip link del vif1.0; ip netns del g3; xenstore-rm $path
        done
        "#,
    ),
    (
        "Xen: a script that is not one of Xen's is not a line to type",
        r#"
        path=/local/domain/0/backend/vif/1/0
        xenstore-write $path/script '/tmp/evil; reboot' $path/vifname '$(reboot)' $path/hotplug-status error $path/hotplug-error x
        same "the line" "xl network-detach 1 0" "$(lines hotplug)"
        xenstore-write $path/script /tmp/evil/vif-bridge
        same "the line" "XENBUS_PATH=$path vif=vif1.0 vif-bridge online" "$(lines hotplug)"
        "#,
    ),
    (
        "Xen: a xenstore of 10,000 interfaces",
        r#"
        for part in {0..9}; do
            xenstore-write $(printf '/local/domain/0/backend/vif/%d/0/mac x%d ' $(seq $((part * 1000)) $((part * 1000 + 999)) | sed p))
        done
        began=$(date +%s%N)
        same "hotplug" "warning " "$(words hotplug)"
        took=$((($(date +%s%N) - began) / 1000000)); [ $took -lt 5000 ] || echo "took $took ms"
        same "the line" "xenstore-ls -f /local/domain | grep hotplug-error" "$(lines hotplug)"
        "#,
    ),
    (
        "Xen: two guests with the same MAC address",
        r#"
        for guest in 1 2; do xenstore-write /local/domain/0/backend/vif/$guest/0/mac 00:16:3e:00:00:01; done
        same "hotplug" "failure " "$(words hotplug)"; same "the line" "xl network-detach 2 0" "$(lines hotplug)"
        "#,
    ),
    (
        "Xen: no xenstored",
        r#"
        same "xenstored" "ok " "$(words xenstored)"
        kill $xenstored_pid; sleep 0.2; [ -e /run/xenstored/socket ] || { echo "no socket"; }
        printf '#!/bin/bash\nxenstored_start >/dev/null 2>&1 </dev/null\n' >/etc/init.d/xencommons; chmod 755 /etc/init.d/xencommons
        same "hotplug" "warning " "$(words hotplug)"
        cut=; mends failure xenstored
        "#,
    ),
];
