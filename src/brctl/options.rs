//! brctl's options, found as by GNU getopt_long: before the verb, after it and among its operands, up to a `--`.
//!
//! Every option ends the call, so the first one decides. The `-1` of `brctl setfd b0 -1` is an option, therefore; that of
//! `brctl -- setfd b0 -1` is an operand.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::error::line;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    Help,
    Version,
    /// An option that does not exist, with getopt's own message.
    Unknown(Vec<u8>),
    /// A verb and its operands: the arguments without the first `--`.
    Operands(Vec<&'a [u8]>),
}

/// Finds the first option; with `posix` (POSIXLY_CORRECT) only before the first operand.
pub(super) fn parse<'a>(program: &OsStr, args: &'a [OsString], posix: bool) -> Request<'a> {
    let mut operands = Vec::new();
    for (place, arg) in args.iter().enumerate() {
        match arg.as_bytes() {
            b"--" => {
                operands.extend(bytes(&args[place + 1..]));
                break;
            }
            [b'-', b'-', long @ ..] => return long_option(program.as_bytes(), long),
            [b'-', short, ..] => return short_option(program.as_bytes(), *short),
            _ if posix => {
                operands.extend(bytes(&args[place..]));
                break;
            }
            operand => operands.push(operand),
        }
    }
    Request::Operands(operands)
}

fn bytes(args: &[OsString]) -> impl Iterator<Item = &[u8]> {
    args.iter().map(|arg| arg.as_bytes())
}

fn short_option<'a>(program: &[u8], letter: u8) -> Request<'a> {
    match letter {
        b'h' => Request::Help,
        b'V' => Request::Version,
        _ => Request::Unknown(line!(program, ": invalid option -- '", [letter], "'")),
    }
}

/// Reads `--help` or `--version`, which may be abbreviated.
fn long_option<'a>(program: &[u8], option: &[u8]) -> Request<'a> {
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

    fn assert_parsed(args: &[&str], posix: bool, expected: Request) {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        assert_eq!(parse(OsStr::new("brctl"), &args, posix), expected);
    }

    fn operands<'a>(words: &[&'a str]) -> Request<'a> {
        Request::Operands(words.iter().map(|word| word.as_bytes()).collect())
    }

    #[test]
    fn options_are_found_after_operands() {
        assert_parsed(&["addbr", "b0", "-V"], false, Request::Version);
        assert_parsed(&["-hV"], false, Request::Help);
        assert_parsed(&["show", "--he"], false, Request::Help);
        let unknown = Request::Unknown(b"brctl: invalid option -- '1'\n".to_vec());
        assert_parsed(&["setfd", "b0", "-1"], false, unknown);
    }

    #[test]
    fn two_dashes_and_posix_end_the_search() {
        assert_parsed(&["setfd", "--", "b0", "-1"], false, operands(&["setfd", "b0", "-1"]));
        assert_parsed(&["setfd", "b0", "-1"], true, operands(&["setfd", "b0", "-1"]));
        assert_parsed(&["-", "--", "--"], false, operands(&["-", "--"]));
    }
}
