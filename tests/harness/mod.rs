//! Runs the rows of a case table: runs each command line with the original tools and with ours, on identical hosts, and compares
//! stdout, stderr, exit status and kernel state byte for byte.
//!
//! A table is a text file in `tests/cases/`. [`table`] parses it and documents its format; `tests/README.md` shows how to run and
//! add rows. A [`host`] is a set of namespaces in which the script `host.sh` sets up the state, runs commands and dumps the kernel
//! state. [`hosts`] creates hosts, and reuses those that a command has left unchanged. [`outcome`] removes random values from the
//! results, [`report`] prints differences.

#![allow(dead_code, reason = "each test program uses only a part")]

pub(crate) mod elf;
pub(crate) mod host;
pub(crate) mod hosts;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod xenstored;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use hosts::{Hosts, IPROUTE2_6_1, Programs, Reuse, XEN};
use outcome::Outcome;
use table::{Case, Expected, Mode};

/// Runs the table `NAME.cases` as one test per row and mode.
pub(crate) fn run(name: &str) -> ExitCode {
    let mut cases = table::read(name);
    let all = cases.len();
    cases.retain(|case| !outcome::is_iproute2_later() || !case.needs.iter().any(|need| need == IPROUTE2_6_1));
    if cases.len() < all {
        eprintln!(
            "\n*** {} rows left out: this machine's iproute2 is later than 6.1, and behaves in another way\n",
            all - cases.len()
        );
    }
    let deviations: BTreeSet<String> =
        cases.iter().filter_map(|case| case.expected.deviation().map(str::to_owned)).collect();
    let mut tests =
        vec![Test::new(format!("{name}: every deviation is explained"), NOTHING, move |_| explained(&deviations))];
    for case in cases.into_iter().map(Arc::new) {
        for &mode in &case.modes {
            let name = format!("{} {}: {}", mode.name(), case.state_name, case.command);
            let run = {
                let case = case.clone();
                move |hosts: &Hosts| match case.needs.iter().any(|need| need == XEN) {
                    // Hardly any command leaves xenstore unchanged.
                    true => compare(&Reuse::never(), hosts, &case, mode),
                    false => Reuse::if_unchanged(|reuse| compare(reuse, hosts, &case, mode)),
                }
            };
            let kind = case.expected.deviation().map_or_else(String::new, |name| format!("deviation {name}"));
            tests.push(Test { kind, ..Test::new(name, &case.needs, run) });
        }
    }
    conclude(tests)
}

/// The needs of a test that runs no program.
const NOTHING: &[&str] = &[];

/// Fails with what is wrong.
type Check = dyn FnOnce(&Hosts) -> Result<(), Failed> + Send;

/// A test that can be selected by its name.
pub(crate) struct Test {
    name: String,
    /// Shown before the name; empty for most.
    kind: String,
    needs: Vec<String>,
    run: Box<Check>,
}

impl Test {
    pub(crate) fn new(
        name: impl Into<String>,
        needs: &[impl AsRef<str>],
        run: impl FnOnce(&Hosts) -> Result<(), Failed> + Send + 'static,
    ) -> Self {
        let needs = needs.iter().map(|need| need.as_ref().to_owned()).collect();
        Self { name: name.into(), kind: String::new(), needs, run: Box::new(run) }
    }

    /// Creates a test that runs a script on a host with our programs, and passes if the script prints nothing.
    pub(crate) fn of_script(name: impl Into<String>, needs: &[&str], state: &str, script: String, mode: Mode) -> Self {
        let state = state.to_string();
        Self::new(name, needs, move |hosts| hosts.run(Programs::Ours, &state, &script, mode)?.silent())
    }
}

/// Runs tests. Tests that this machine cannot run are skipped with a notice; if `BROUTER_TEST_STRICT` is 1, they fail.
pub(crate) fn conclude(tests: Vec<Test>) -> ExitCode {
    conclude_on(Hosts::new(), tests)
}

/// Runs tests, as [`conclude`] does, on hosts to which programs have been added.
pub(crate) fn conclude_on(hosts: Hosts, tests: Vec<Test>) -> ExitCode {
    let hosts = Arc::new(hosts);
    let strict = std::env::var_os("BROUTER_TEST_STRICT").is_some_and(|value| value == "1");
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    let mut trials = Vec::new();
    for Test { name, kind, needs, run } in tests {
        let lack = hosts.lacks(&needs);
        let trial = if lack.is_empty() {
            let hosts = hosts.clone();
            Trial::test(name, move || run(&hosts))
        } else {
            *lacking.entry(lack.clone()).or_default() += 1;
            Trial::test(name, move || Err(Failed::from(lack))).with_ignored_flag(!strict)
        };
        trials.push(trial.with_kind(kind));
    }
    for (lack, tests) in lacking {
        eprintln!("\n*** {tests} TESTS CANNOT RUN: {lack}\n");
    }
    let mut arguments = Arguments::from_args();
    // More threads than cores: half of a run is spent waiting for the kernel to create and destroy namespaces.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Checks that each deviation is named in a heading of `compat/original/DEVIATIONS.md`.
fn explained(deviations: &BTreeSet<String>) -> Result<(), Failed> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/compat/original/DEVIATIONS.md"))?;
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    for name in deviations {
        if !headings.iter().any(|heading| heading.split([',', ' ']).any(|word| word == name)) {
            return Err(Failed::from(format!("compat/original/DEVIATIONS.md has no heading that names {name}")));
        }
    }
    Ok(())
}

fn compare(reuse: &Reuse, hosts: &Hosts, case: &Case, mode: Mode) -> Result<(), Failed> {
    let look = |programs, command, mode| {
        let run = hosts.run_in(reuse, case.era.as_deref(), programs, &case.state, command, mode)?;
        Ok::<_, Failed>(Outcome::of(&run, case.timers))
    };
    let ours = look(Programs::Ours, &case.command, mode)?;
    let expected = match &case.expected {
        // The /sys of another namespace must be treated as if it were missing.
        Expected::Original if mode == Mode::Foreign => look(Programs::Original, &case.command, Mode::NoSys)?,
        Expected::Original => look(Programs::Original, &case.command, mode)?,
        Expected::Written { status, stdout, stderr, kernel, .. } => Outcome {
            status: *status,
            stdout: stdout.clone(),
            // If the patterns match, they stand for our text; otherwise the report shows the patterns.
            stderr: if stderr.fits(&ours.stderr) { ours.stderr.clone() } else { stderr.to_string() },
            kernel: look(Programs::Original, kernel, Mode::Sys)?.kernel,
        },
    };
    report::compare(&expected, &ours).map_err(|differences| {
        Failed::from(format!(
            "{}:{}: state {}, {}\n    {}\n{differences}",
            case.file,
            case.line,
            case.state_name,
            mode.meaning(),
            case.command,
        ))
    })
}
