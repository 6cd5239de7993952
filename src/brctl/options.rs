//! Options as GNU getopt_long finds them: before the verb, behind it and among its operands, up to a `--`.
//!
//! Each of brctl's options ends the call, so the first one that is found decides. `brctl setfd b0 -1` is an option, therefore,
//! and `brctl -- setfd b0 -1` is not.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::error::line;

/// What the options ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Help,
    Version,
    /// getopt's own complaint.
    Unknown(Vec<u8>),
    /// No option: the arguments without the first `--`.
    Operands(Vec<OsString>),
}

/// Finds the first option. With `posix` (POSIXLY_CORRECT) none is looked for after the first operand.
pub(super) fn parse(program: &OsStr, args: &[OsString], posix: bool) -> Request {
    let mut operands = Vec::new();
    for (place, arg) in args.iter().enumerate() {
        match arg.as_bytes() {
            b"--" => {
                operands.extend_from_slice(&args[place + 1..]);
                break;
            }
            [b'-', b'-', long @ ..] => return long_option(program.as_bytes(), long),
            [b'-', short, ..] => return short_option(program.as_bytes(), *short),
            _ if posix => {
                operands.extend_from_slice(&args[place..]);
                break;
            }
            _ => operands.push(arg.clone()),
        }
    }
    Request::Operands(operands)
}

fn short_option(program: &[u8], letter: u8) -> Request {
    match letter {
        b'h' => Request::Help,
        b'V' => Request::Version,
        _ => Request::Unknown(line!(program, ": invalid option -- '", [letter], "'")),
    }
}

/// `--help` and `--version`, which may be cut short as long as it is clear which is meant.
fn long_option(program: &[u8], option: &[u8]) -> Request {
    let name = option.split(|&byte| byte == b'=').next().unwrap_or_default();
    let has_value = name.len() < option.len();
    let meant = match (b"help".starts_with(name), b"version".starts_with(name)) {
        (true, true) => {
            let possibilities = "' is ambiguous; possibilities: '--help' '--version'";
            return Request::Unknown(line!(program, ": option '--", option, possibilities));
        }
        (true, false) => "help",
        (false, true) => "version",
        (false, false) => return Request::Unknown(line!(program, ": unrecognized option '--", option, "'")),
    };
    match meant {
        _ if has_value => Request::Unknown(line!(program, ": option '--", meant, "' doesn't allow an argument")),
        "help" => Request::Help,
        _ => Request::Version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], posix: bool) -> Request {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        super::parse(OsStr::new("brctl"), &args, posix)
    }

    #[test]
    fn options_are_found_behind_operands() {
        assert_eq!(parse(&["addbr", "b0", "-V"], false), Request::Version);
        assert_eq!(parse(&["-hV"], false), Request::Help);
        assert_eq!(parse(&["show", "--he"], false), Request::Help);
        assert_eq!(parse(&["setfd", "b0", "-1"], false), Request::Unknown(b"brctl: invalid option -- '1'\n".to_vec()));
    }

    #[test]
    fn two_dashes_and_posix_end_the_search() {
        let operands = |words: &[&str]| Request::Operands(words.iter().map(OsString::from).collect());
        assert_eq!(parse(&["setfd", "--", "b0", "-1"], false), operands(&["setfd", "b0", "-1"]));
        assert_eq!(parse(&["setfd", "b0", "-1"], true), operands(&["setfd", "b0", "-1"]));
        assert_eq!(parse(&["-", "--", "--"], false), operands(&["-", "--"]));
    }
}
