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

use hosts::{Hosts, Programs, Reuse, XEN};
use outcome::Outcome;
use table::{Case, Expected, Mode};

/// Runs the table `NAME.cases` as one test per row and mode.
pub(crate) fn run(name: &str) -> ExitCode {
    let hosts = Arc::new(Hosts::new());
    let cases = table::read(name);
    let deviations: BTreeSet<String> =
        cases.iter().filter_map(|case| case.expected.deviation().map(str::to_owned)).collect();
    let mut tests = vec![Test {
        name: format!("{name}: every deviation is explained"),
        kind: String::new(),
        needs: Vec::new(),
        run: Box::new(move || explained(&deviations)),
    }];
    for case in cases {
        let case = Arc::new(case);
        for &mode in &case.modes {
            tests.push(Test {
                name: format!("{} {}: {}", mode.name(), case.state_name, case.command),
                kind: case.expected.deviation().map_or_else(String::new, |name| format!("deviation {name}")),
                needs: case.needs.clone(),
                run: Box::new({
                    let (hosts, case) = (hosts.clone(), case.clone());
                    move || match case.needs.iter().any(|need| need == XEN) {
                        // Hardly any command leaves xenstore unchanged.
                        true => compare(&Reuse::never(), &hosts, &case, mode),
                        false => Reuse::if_unchanged(|reuse| compare(reuse, &hosts, &case, mode)),
                    }
                }),
            });
        }
    }
    conclude(&hosts, tests)
}

/// A test that can be selected by its name.
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) needs: Vec<String>,
    pub(crate) run: Box<dyn FnOnce() -> Result<(), Failed> + Send>,
}

impl Test {
    /// Creates a test that runs a script on a host with our programs, and passes if the script prints nothing.
    pub(crate) fn of_script(
        hosts: &Arc<Hosts>,
        name: impl Into<String>,
        needs: &[&str],
        state: &str,
        script: String,
        mode: Mode,
    ) -> Self {
        let (hosts, state) = (hosts.clone(), state.to_string());
        Test {
            name: name.into(),
            kind: String::new(),
            needs: needs.iter().map(ToString::to_string).collect(),
            run: Box::new(move || {
                let run = hosts.run(Programs::Ours, &state, &script, mode)?;
                let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
                if said.is_empty() { Ok(()) } else { Err(said.into()) }
            }),
        }
    }
}

/// Runs tests. Tests that this machine cannot run are skipped with a notice; if `BROUTER_TEST_STRICT` is 1, they fail.
pub(crate) fn conclude(hosts: &Hosts, tests: Vec<Test>) -> ExitCode {
    let strict = std::env::var_os("BROUTER_TEST_STRICT").is_some_and(|value| value == "1");
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    let trials = tests.into_iter().map(|test| {
        let lack = hosts.lacks(&test.needs);
        if lack.is_empty() {
            return Trial::test(test.name, test.run).with_kind(test.kind);
        }
        *lacking.entry(lack.clone()).or_default() += 1;
        Trial::test(test.name, move || Err(Failed::from(lack))).with_kind(test.kind).with_ignored_flag(!strict)
    });
    let trials = trials.collect();
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
    let differences = report::differences(&expected, &ours);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failed::from(format!(
        "{}:{}: state {}, {}\n    {}\n{differences}",
        case.file,
        case.line,
        case.state_name,
        mode.meaning(),
        case.command,
    )))
}
