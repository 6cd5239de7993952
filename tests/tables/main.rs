//! Tests the kernel's tables against iptables-legacy: after each change `iptables-legacy-save -c` prints the same, whichever made
//! it, and the kernel has the same bytes.

mod arguments;
mod cases;
mod faults;
mod host;
mod random;
mod writers;

use std::process::ExitCode;

use brouter::net::Family;
use libtest_mimic::{Arguments, Trial};

use host::Host;

fn main() -> ExitCode {
    let lack = host::lacks();
    if lack.is_none() {
        host::enter_namespaces();
    }
    if std::env::args().nth(1).as_deref() == Some("--change") {
        return change();
    }
    let mut arguments = Arguments::from_args();
    // all of them share the namespace
    arguments.test_threads = Some(1);
    let mut tests: Vec<Trial> =
        [cases::tests(), faults::tests(), writers::tests(), random::tests()].into_iter().flatten().collect();
    if let Some(lack) = lack {
        eprintln!("\n*** {} TESTS CANNOT RUN: {lack}\n", tests.len());
        let is_strict = std::env::var_os("BROUTER_TEST_STRICT").is_some_and(|value| value == "1");
        tests = tests.into_iter().map(|test| test.with_ignored_flag(!is_strict)).collect();
    }
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// `--change 4|6 LINE...`: makes one change after the other.
fn change() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let host = Host(if arguments[0] == "4" { Family::V4 } else { Family::V6 });
    for line in &arguments[1..] {
        if let Err(error) = host.change(&[line]) {
            eprintln!("{line}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
