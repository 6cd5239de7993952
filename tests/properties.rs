//! Tests properties that hold for any input: nothing panics, and printed text parses back to the same value.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use brouter::applet::{BRCTL, IP};
use brouter::call::{Applet, Call};
use brouter::era::Era;
use brouter::kernel::Kernel;
use brouter::net::number;
use brouter::net::prefix::{Family, Notation, Prefix, parse_address};
use brouter::net::{BridgeId, ClockTime};
use brouter::xen::script::Arguments;
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that an argument can contain: all but NUL.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8.., 0..24)
}

/// Bytes that occur in numbers and addresses, so that more inputs get past the first character.
fn numeric() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(b"0123456789.:/xXeEpP+-infaNAbc ".to_vec()), 0..24)
}

fn arguments(verbs: &'static [&'static str]) -> impl Strategy<Value = Vec<OsString>> {
    let word = prop_oneof![
        4 => prop::sample::select(verbs).prop_map(OsString::from),
        1 => bytes().prop_map(OsString::from_vec),
        1 => numeric().prop_map(OsString::from_vec),
    ];
    vec(word, 0..7)
}

/// Runs an applet in both eras on the files of an old host, where nothing can be changed.
fn run(applet: &Applet, args: &[OsString]) {
    for era in [Era::Of2006, Era::Today] {
        run_in(era, applet, args);
    }
}

fn run_in(era: Era, applet: &Applet, args: &[OsString]) {
    let outcome = (applet.run)(&mut Call {
        applets: &[],
        program: applet.name.as_ref(),
        args,
        environment: &|_| None,
        era,
        kernel: &Kernel::at(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host-2.6.18")),
        out: &mut std::io::sink(),
        err: &mut std::io::sink(),
    });
    if let Err(failure) = outcome.map_err(|failure| failure.in_era(era)) {
        assert_ne!(failure.status, 0);
        assert!(failure.text.is_empty() || failure.text.ends_with(b"\n"), "{failure:?}");
    }
}

const BRCTL_WORDS: &[&str] = &[
    "addbr",
    "delbr",
    "addif",
    "delif",
    "hairpin",
    "setfd",
    "setageing",
    "setbridgeprio",
    "setpathcost",
    "show",
    "showmacs",
    "showstp",
    "stp",
    "xenbr0",
    "dummy0",
    "eth0",
    "lo",
    "on",
    "off",
    "-V",
    "--",
    "--he",
    "-x",
    "15",
];

const IP_WORDS: &[&str] = &[
    "addr",
    "link",
    "route",
    "a",
    "l",
    "r",
    "add",
    "del",
    "show",
    "set",
    "list",
    "dev",
    "eth0",
    "xenbr0",
    "lo",
    "up",
    "down",
    "brd",
    "+",
    "-",
    "label",
    "scope",
    "link",
    "local",
    "peer",
    "10.0.0.1/8",
    "fd00::1/64",
    "default",
    "any",
    "table",
    "main",
    "-4",
    "-6",
    "-o",
    "-0",
    "--",
    "help",
    "to",
    "valid_lft",
    "forever",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn brctl_survives_any_arguments(args in arguments(BRCTL_WORDS)) {
        run(&BRCTL, &args);
    }

    #[test]
    fn ip_survives_any_arguments(args in arguments(IP_WORDS)) {
        run(&IP, &args);
    }

    #[test]
    fn scripts_survive_any_arguments(args in vec(prop_oneof![bytes(), numeric()].prop_map(OsString::from_vec), 0..5)) {
        let environment = |_: &str| None;
        if let Ok(arguments) = Arguments::parse(&args, &environment) {
            arguments.command();
            arguments.value("bridge");
        }
    }

    #[test]
    fn an_assignment_in_single_quotes_is_literal(value in "[^'\u{0}]{0,20}") {
        let args = [OsString::from(format!("bridge='{value}'"))];
        let environment = |_: &str| None;
        let arguments = Arguments::parse(&args, &environment).expect("nothing to evaluate");
        prop_assert_eq!(arguments.value("bridge").unwrap_or_default(), value);
    }

    #[test]
    fn numbers_survive_any_text(text in prop_oneof![bytes(), numeric()]) {
        number::time(&text);
        number::integer(&text);
        number::switch(&text);
        let _ = Prefix::parse(&text, Family::Any, Notation::C);
        let _ = parse_address(&text, Family::Inet, Notation::C);
    }

    /// bridge-utils truncates the double that it computes, so that some times lose one hundredth of a second.
    #[test]
    fn a_clock_value_parses_back(ticks in 0u64..100_000_000) {
        let read = number::time(ClockTime(ticks).to_string().as_bytes()).expect("a number").0;
        prop_assert!(read == ticks || read + 1 == ticks, "{} parses as {}", ticks, read);
    }

    #[test]
    fn an_integer_parses_back(value in any::<i32>()) {
        prop_assert_eq!(number::integer(value.to_string().as_bytes()), Some(i64::from(value) as u64));
        prop_assert_eq!(number::integer(format!("{:#x}", value.unsigned_abs()).as_bytes()), Some(i64::from(value.unsigned_abs() as i32) as u64));
    }

    #[test]
    fn a_bridge_id_parses_back(id in any::<[u8; 8]>()) {
        prop_assert_eq!(BridgeId(id).to_string().parse(), Ok(BridgeId(id)));
    }

    #[test]
    fn a_prefix_parses_back(address in any::<std::net::Ipv4Addr>(), bits in 0u8..=32) {
        let text = format!("{address}/{bits}");
        match Prefix::parse(text.as_bytes(), Family::Inet, Notation::C) {
            Some(Prefix::Net { net, explicit: true }) => prop_assert_eq!(net.to_string(), text),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
