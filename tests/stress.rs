//! Crosses everything that changes a host: starts and stops of networks, guests' interfaces, and an administrator's iptables, in
//! one network namespace. At the end nothing is lost, there twice, or left.
//!
//! `STRESS_SECONDS` is the time: 10 unless it is set, 600 under `make stress`. Each minute has a host of its own.

mod harness;

use std::process::ExitCode;

use harness::table::Mode;
use harness::{Test, conclude};

const STATE: &str = r"
xenstored
brctl addbr xenbr0
brctl setfd xenbr0 0
ip link set xenbr0 up
ip link add eth0 type veth peer name outside
ip link set eth0 up
for n in 1 2 3 4; do
    ip link add vif$n.0 type veth peer name g$n
    xenstore-write backend/vif/$n/0/bridge xenbr0
    xenstore-write backend/vif/$n/0/ip 10.7.0.$n
done
";

const SCRIPT: &str = r#"
# the tables must exist before a command asks which firewall the host has
iptables-legacy -w -A INPUT -s 10.99.0.1 -j ACCEPT; iptables-legacy -w -t nat -L >/dev/null
log=/var/log/xen/xen-hotplug.log; mkdir -p ${log%/*}
rules() { iptables-legacy-save | grep -v '^#' | sed 's/\[.*\]//'; }
host() { rules; cat /proc/sys/net/ipv4/ip_forward; ls /sys/class/net; echo /sys/class/net/*/brif/*; ls -A /run/brouter/* /run/xen-hotplug 2>/dev/null; }
# locks and folders that a first call makes
network-virtual start bridge=s0 bridgeip=10.6.0.1/24 masquerade=yes firewall=none && network-virtual stop bridge=s0 bridgeip=10.6.0.1/24 masquerade=yes firewall=none
for n in 1 2 3 4; do vif=vif$n.0 XENBUS_PATH=backend/vif/$n/0 vif-bridge online; vif=vif$n.0 XENBUS_PATH=backend/vif/$n/0 vif-bridge offline; done
before=$(host)
end=$((SECONDS + TIME))
count() { echo >>/run/count.$1; }
# a command that must succeed
must() { local said=/run/said.$BASHPID; "$@" >$said 2>&1 || { echo "status $?: $*: $(cat $said)"; }; count changes; }
script() {
    local n=$1
    while ((SECONDS < end)); do
        must network-virtual start bridge=s$n bridgeip=10.6.$n.1/24 masquerade=yes firewall=none
        [ "$(iptables-legacy -w -t nat -S POSTROUTING | grep -c "10.6.$n.0/24")" = 1 ] || echo "s$n has not one rule"
        must network-virtual stop bridge=s$n bridgeip=10.6.$n.1/24 masquerade=yes firewall=none
    done
}
own() {
    local n=$1
    while ((SECONDS < end)); do
        must brouter up u$n --address 10.5.$n.1/24 --masquerade --outside eth0
        [ "$(iptables-legacy -w -t nat -S POSTROUTING | grep -c "10.5.$n.0/24")" = 1 ] || echo "u$n has not one rule"
        [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo "u$n is up, and the host does not forward"
        must brouter down u$n
    done
}
guest() {
    local n=$1; export vif=vif$n.0 XENBUS_PATH=backend/vif/$n/0
    while ((SECONDS < end)); do
        must vif-bridge online
        [ -e /sys/class/net/xenbr0/brif/vif$n.0 ] || echo "vif$n.0 is no port"
        iptables-legacy -w -S FORWARD | grep -q "10.7.0.$n/" || echo "vif$n.0 has no rule: $(cat $log)"
        must vif-bridge offline
        ! iptables-legacy -w -S FORWARD | grep "vif$n.0" || echo "vif$n.0 is off, and has a rule"
    done
}
administrator() {
    local n=0 rules=() rule
    while ((SECONDS < end)); do
        rule="-s 10.99.1.$((n++ % 250)) -j ACCEPT"
        must iptables-legacy -w -t $2 -A $1 $rule; rules+=("$rule")
        [ ${#rules[@]} -lt 50 ] || { must iptables-legacy -w -t $2 -D $1 ${rules[0]}; rules=("${rules[@]:1}"); }
    done
    # each is still there
    for rule in "${rules[@]}"; do must iptables-legacy -w -t $2 -D $1 $rule; done
}
jobs=()
for n in 1 2; do script $n & jobs+=($!); own $n & jobs+=($!); done
for n in 1 2 3 4; do guest $n & jobs+=($!); done
administrator FORWARD filter & jobs+=($!)
administrator POSTROUTING nat & jobs+=($!)
wait "${jobs[@]}"
after=$(host)
[ "$before" = "$after" ] || { echo 'lost or left:'; diff <(echo "$before") <(echo "$after"); }
changes=$(wc -l </run/count.changes)
[ $changes -gt $TIME ] || echo "only $changes changes"
"#;

fn main() -> ExitCode {
    let seconds: u32 = std::env::var("STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let rounds = seconds.div_ceil(60);
    let test = |round| {
        let script = format!("TIME={}\n{SCRIPT}", seconds.div_ceil(rounds));
        let name = format!("networks, guests and an administrator at once: {round} of {rounds}");
        Test::of_script(name, &["xen", "iptables-legacy"], STATE, script, Mode::Sys)
    };
    conclude((1..=rounds).map(test).collect())
}
