//! The arguments of Xen's scripts: a command and `VAR=VAL` words.
//!
//! The scripts' command is the first argument without a `=` (`findCommand`). Every argument with one, at its second character or
//! later, goes to the shell's `eval` (`evalVariables`): quotes that xend passes literally are stripped, later words override
//! earlier ones and the environment, and `'bridge=x; rm -rf /'` is run. Here words are unquoted and assigned in the same way, and
//! refused if they need a shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::shell::unquoted;

/// An argument that is not a plain assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadArgument {
    argument: OsString,
    reason: &'static str,
}

impl BadArgument {
    /// Returns `ARGUMENT: REASON`.
    pub fn text(&self) -> Vec<u8> {
        [self.argument.as_bytes(), b": ", self.reason.as_bytes()].concat()
    }
}

/// A script's arguments.
pub struct Arguments<'a> {
    command: Option<&'a OsStr>,
    assignments: Vec<(&'a str, String)>,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Arguments<'a> {
    /// Reads a script's arguments.
    ///
    /// # Errors
    /// An argument with a `=` that is not a plain assignment.
    pub fn parse(args: &'a [OsString], environment: &'a dyn Fn(&str) -> Option<OsString>) -> Result<Self, BadArgument> {
        let mut assignments = Vec::new();
        // a word that begins with `=` is neither an assignment nor a command
        let is_assignment = |arg: &&OsString| arg.as_bytes().iter().position(|&byte| byte == b'=') > Some(0);
        for arg in args.iter().filter(is_assignment) {
            let refuse = |reason| BadArgument { argument: arg.clone(), reason };
            let text = arg.to_str().ok_or_else(|| refuse("not UTF-8"))?;
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            if !is_name(name) {
                return Err(refuse("not an assignment to a variable (nothing is evaluated here)"));
            }
            assignments.push((name, unquoted(value).map_err(refuse)?));
        }
        let command = args.iter().find(|arg| !arg.as_bytes().contains(&b'=')).map(OsString::as_os_str);
        Ok(Arguments { command, assignments, environment })
    }

    /// Returns the command: that of `command=`, else the first argument without `=`, else the environment's, else empty.
    pub fn command(&self) -> OsString {
        let assigned = self.assigned("command").map(OsString::from);
        assigned
            .or_else(|| self.command.map(OsString::from))
            .or_else(|| (self.environment)("command"))
            .unwrap_or_default()
    }

    /// Returns a variable's value: the last one assigned, else the environment's. An empty value is none, as in `${var:-default}`.
    pub fn value(&self, name: &str) -> Option<String> {
        let inherited = || (self.environment)(name).map(|value| value.to_string_lossy().into_owned());
        self.assigned(name).map(String::from).or_else(inherited).filter(|value| !value.is_empty())
    }

    fn assigned(&self, name: &str) -> Option<&str> {
        self.assignments.iter().rev().find(|(assigned, _)| *assigned == name).map(|(_, value)| value.as_str())
    }

    /// Returns the names, each once, that were assigned and are not in the list.
    pub fn unknown(&self, known: &[&str]) -> Vec<&'a str> {
        let mut unknown: Vec<&str> = Vec::new();
        for (name, _) in &self.assignments {
            if !known.contains(name) && !unknown.contains(name) {
                unknown.push(name);
            }
        }
        unknown
    }
}

/// Whether this is a variable's name to the shell.
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(args: &'a [OsString]) -> Result<Arguments<'a>, BadArgument> {
        Arguments::parse(args, &|name| (name == "netdev").then(|| "eth7".into()))
    }

    #[test]
    fn later_words_override_earlier_ones() {
        let args = ["", "bridge=a", "start", "bridge=\"b\"", "=x", "netdev=", "vifnum=3"].map(OsString::from);
        let arguments = parse(&args).unwrap();
        assert_eq!(arguments.command(), "", "an empty argument is a command");
        assert_eq!(arguments.value("bridge").as_deref(), Some("b"));
        assert_eq!(arguments.value("netdev"), None, "assigned empty, so the environment does not count");
        assert_eq!(arguments.unknown(&["bridge", "netdev"]), ["vifnum"]);
    }

    #[test]
    fn what_a_shell_would_run_is_refused() {
        for arg in ["bridge=x; echo y", "a-b=c", "1a=b", "a+=b", "a[0]=b", "x y=z"] {
            let args = [OsString::from(arg)];
            assert_eq!(parse(&args).err().map(|bad| bad.argument), Some(args[0].clone()), "{arg}");
        }
    }
}
