//! Compares our static programs on emulated kernels of Xen 3 hosts (see `old_kernel/`) with cargo's own build of them, linked with
//! the host's C library, on the running kernel: output, exit status and kernel state must be identical.
//!
//! The tables compare the static programs with the originals on the running kernel. Together, both show that neither the C library
//! nor the age of the kernel is visible from outside.
//!
//! Rows of the era 2006 run without BROUTER_ERA on the emulated kernel, which selects that era by itself.
//!
//! The emulation itself is compared with recorded answers of the real kernels.
//!
//! By default, one row of each command in each state runs, on one of the kernels and in one of its modes, in rotation. With
//! BROUTER_TEST_KERNELS=all every row runs in every mode on every kernel.

mod harness;
#[cfg(target_arch = "x86_64")]
mod old_kernel;

/// Does nothing: Xen 3 did not run on other architectures, or they are newer than it.
#[cfg(not(target_arch = "x86_64"))]
fn main() {
    eprintln!("*** the emulated kernels are those of x86_64 hosts: nothing is tested here");
}

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    old_kernel::become_tracer().unwrap_or_else(tests::run)
}

/// The answers of 2.6.16 and 2.6.18.
#[cfg(target_arch = "x86_64")]
macro_rules! seen_before_2_6_23 {
    () => {
        "SOCK_CLOEXEC: EINVAL\n\
         socket: yes\n\
         F_DUPFD_CLOEXEC: EINVAL\n\
         FUTEX_PRIVATE_FLAG: ENOSYS\n\
         pipe2: ENOSYS\n\
         ppoll: ENOSYS\n\
         getrandom: ENOSYS\n\
         AT_EMPTY_PATH: EINVAL\n\
         clone3: ENOSYS\n\
         O_CLOEXEC: ignored\n\
         AT_RANDOM: missing\n\
         AT_SYSINFO_EHDR: missing\n\
         AT_PAGESZ: yes\n"
    };
}

#[cfg(target_arch = "x86_64")]
mod tests {
    use std::collections::HashSet;
    use std::process::{Command, ExitCode};
    use std::sync::Arc;

    use libtest_mimic::Failed;

    use crate::harness::hosts::{Hosts, Programs, Reuse, STATIC};
    use crate::harness::outcome::Outcome;
    use crate::harness::table::{self, Case, Mode, TABLES};
    use crate::harness::{Test, conclude_on, report};
    use crate::old_kernel::{KERNELS, OldKernel};

    /// The folder of the programs linked with the host's C library.
    const CARGOS_OWN: &str = "cargo";

    /// The program compiled from old_kernel/probe.c.
    const PROBE: &str = "probe";

    /// The output of the probe on each kernel, recorded on real hosts with 2.6.18 and 2.6.32. None of these answers changed
    /// between 2.6.16 and 2.6.18.
    const SEEN: [&str; 3] = [
        concat!("2.6.16.33-xen\n", seen_before_2_6_23!()),
        concat!("2.6.18.8-xen\n", seen_before_2_6_23!()),
        "2.6.32.69\n\
         SOCK_CLOEXEC: yes\n\
         socket: yes\n\
         F_DUPFD_CLOEXEC: yes\n\
         FUTEX_PRIVATE_FLAG: yes\n\
         pipe2: yes\n\
         ppoll: yes\n\
         getrandom: ENOSYS\n\
         AT_EMPTY_PATH: EINVAL\n\
         clone3: ENOSYS\n\
         O_CLOEXEC: yes\n\
         AT_RANDOM: yes\n\
         AT_SYSINFO_EHDR: yes\n\
         AT_PAGESZ: yes\n",
    ];

    pub(crate) fn run() -> ExitCode {
        let all = std::env::var_os("BROUTER_TEST_KERNELS").is_some_and(|value| value == "all");
        let hosts = Hosts::new();
        hosts.put_cargos_own(CARGOS_OWN);
        let tracer = std::env::current_exe().expect("this program");
        for kernel in &KERNELS {
            for program in ["brouter", "brctl", "ip", "network-virtual", PROBE] {
                hosts.put(kernel.name, program, &tracer);
            }
        }
        // without a compiler the tests that need it are skipped; a compiler error makes them fail
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/old_kernel/probe.c");
        let program = hosts.programs(Programs::Ours).join(PROBE);
        let _ = Command::new("musl-gcc").args(["-static", "-o"]).arg(&program).arg(source).status();
        let mut tests: Vec<Test> = KERNELS.iter().zip(SEEN).map(|(kernel, seen)| probe(kernel, seen)).collect();
        tests.push(descriptors());
        tests.extend(KERNELS.iter().map(network));
        let mut known = HashSet::new();
        // their kernels know no IPv6 route of the types that this state has: what looks like `throw` is `unreachable` there
        let is_possible = |case: &Case| case.state_name != "ipv6-routed";
        for case in TABLES.into_iter().flat_map(table::read).filter(is_possible).map(Arc::new) {
            let turn = known.len();
            let is_first = known.insert((case.era.clone(), case.state_name.clone(), case.verb()));
            for (at, &mode) in case.modes.iter().enumerate() {
                for (kernel_at, kernel) in KERNELS.iter().enumerate() {
                    let its_turn = turn % KERNELS.len() == kernel_at && turn / KERNELS.len() % case.modes.len() == at;
                    if all || is_first && its_turn {
                        tests.push(test(&case, kernel, mode));
                    }
                }
            }
        }
        conclude_on(hosts, tests)
    }

    /// Compares the emulation with the real kernel.
    fn probe(kernel: &'static OldKernel, seen: &'static str) -> Test {
        Test::new(format!("{}: the emulation answers like the real kernel", kernel.name), &["musl-gcc"], move |hosts| {
            let run = hosts.run(Programs::Of(kernel.name), "", &format!("{PROBE} 2>/dev/null"), Mode::Sys)?;
            let answered = String::from_utf8_lossy(&run.stdout);
            if answered == seen { Ok(()) } else { Err(format!("answered\n{answered}not\n{seen}").into()) }
        })
    }

    /// Tests that a firewall program inherits no descriptors, although kernels before 2.6.23 ignore O_CLOEXEC.
    fn descriptors() -> Test {
        Test::new("2.6.16: a firewall program inherits no descriptors", &[STATIC], |hosts| {
            let command = "open >/run/given; network-virtual start bridgeip=10.0.0.1/24 firewall=open >/run/found; \
                           diff /run/given /run/found; grep -qx 2 /run/given || echo nothing seen";
            hosts.run(Programs::Of("2.6.16"), "stub open 'ls /proc/$$/fd'", command, Mode::Sys)?.silent()
        })
    }

    /// Tests brouter's own commands on a network that is brought up, inspected and taken down.
    fn network(kernel: &'static OldKernel) -> Test {
        let name = format!("{}: brouter up, status, doctor and down", kernel.name);
        Test::new(name, &[STATIC, "iptables"], move |hosts| {
            let look = |programs| {
                let run = hosts.run_in(&Reuse::never(), Some("today"), programs, NETWORK, NETWORK_USED, Mode::Sys)?;
                Ok::<_, Failed>(Outcome::of(&run, false))
            };
            Ok(report::compare(&look(Programs::Of(CARGOS_OWN))?, &look(Programs::Of(kernel.name))?)?)
        })
    }

    /// A default route, and the interface of a guest.
    const NETWORK: &str = r#"
        ip link add eth0 address 02:00:00:00:00:0e type veth peer name outside address 02:00:00:00:00:0f
        ip link set eth0 up; ip link set outside up; ip addr add 192.0.2.1/24 dev eth0
        ip route add default via 192.0.2.2
        ip link add vif1.0 address 02:00:00:00:00:01 type veth peer name g1 address 02:00:00:00:00:11
        ip link set g1 up
    "#;

    /// Masks what differs from run to run: counters, which multicast reports of the bridge itself raise at random times, and the
    /// number of the namespace. The counters of a port that is down do not change; these are compared with /sys.
    const NETWORK_USED: &str = r#"
        brouter up n --bridge b0 --address 10.9.0.1/24 --outside eth0 --masquerade --antispoof --port vif1.0 --forward-delay 0
        echo "$?"
        for try in {1..200}; do [ "$(</sys/class/net/vif1.0/brport/state)" = 3 ] && break; sleep 0.05; done
        # asks for the hardware address of 10.9.0.9, through the port
        echo >/dev/udp/10.9.0.9/9
        counters() { brouter status --json | grep -Eo '"[rt]x_(bytes|packets)":[0-9]+'; }
        from_sys() { for name in {r,t}x_{bytes,packets}; do echo "\"$name\":$(</sys/class/net/vif1.0/statistics/$name)"; done; }
        {
            brouter status; brouter status --json; brouter doctor; echo "$?"
            ip link set vif1.0 down; brouter doctor; echo "$?"; brouter status
            diff <(from_sys) <(counters); echo "counters: $?"; counters | grep -c ':[1-9]'
            iptables -t nat -F; brouter doctor --json; brouter up n; echo "$?"
            brouter down n; echo "$?"; iptables -S; iptables -t nat -S; ls /run/brouter/*
        } | sed -E 's/ +[0-9.]+ [KMG]?i?B +[0-9.]+[kM]?/ N/g; s/"([rt]x_(bytes|packets))":[0-9]+/"\1":N/g; s:(/run/brouter/)[0-9]+:\1N:'
    "#;

    fn test(case: &Arc<Case>, kernel: &'static OldKernel, mode: Mode) -> Test {
        let name = format!("{} {} {}: {}", kernel.name, mode.name(), case.state_name, case.command);
        let needs = [&case.needs[..], &[String::from(STATIC)]].concat();
        let case = case.clone();
        Test::new(name, &needs, move |hosts| Reuse::if_unchanged(|reuse| compare(reuse, hosts, &case, kernel, mode)))
    }

    fn compare(reuse: &Reuse, hosts: &Hosts, case: &Case, kernel: &OldKernel, mode: Mode) -> Result<(), Failed> {
        let look = |era, programs| {
            let run = hosts.run_in(reuse, era, programs, &case.state, &case.command, mode)?;
            Ok::<_, Failed>(Outcome::of(&run, case.timers))
        };
        // on such a kernel the default era is 2006
        let (wanted, ours) = match &case.era {
            Some(era) => (look(Some(era), Programs::Of(CARGOS_OWN))?, look(None, Programs::Of(kernel.name))?),
            None => (look(Some("today"), Programs::Of(CARGOS_OWN))?, look(Some("today"), Programs::Of(kernel.name))?),
        };
        report::compare(&wanted, &ours).map_err(|differences| {
            Failed::from(format!(
                "{}:{}: on Linux {}, state {}, {} (expected: cargo's own build on the running kernel)\n    {}\n{differences}",
                case.file,
                case.line,
                kernel.name,
                case.state_name,
                mode.meaning(),
                case.command,
            ))
        })
    }
}
