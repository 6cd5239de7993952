//! The arguments of Xen's scripts: a command and `VAR=VAL` words.
//!
//! The scripts take for command the first argument without a `=` (`findCommand`) and hand every argument that has one, at its
//! second character or later, to the shell's `eval` (`evalVariables`): so quotes that xend passes literally are stripped,
//! later words override earlier ones and the environment, and `'bridge=x; rm -rf /'` is run. Here the same words are assigned
//! after the same unquoting, and what would need a shell is refused.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Failure, line};
use crate::shell::unquoted;

/// A script's arguments.
pub struct Arguments<'a> {
    command: Option<&'a OsStr>,
    assignments: Vec<(&'a str, String)>,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Arguments<'a> {
    /// Reads the arguments of the script called `program`.
    ///
    /// # Errors
    /// Status 2 where an argument is not a plain assignment.
    pub fn parse(
        program: &str,
        args: &'a [OsString],
        environment: &'a dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Failure> {
        let mut assignments = Vec::new();
        // with a `=` at its start a word is neither an assignment nor a command
        let is_assignment = |arg: &&OsString| arg.as_bytes().iter().position(|&byte| byte == b'=') > Some(0);
        for arg in args.iter().filter(is_assignment) {
            let refuse = |reason: &str| Failure::new(line!(program, ": ", arg.as_bytes(), ": ", reason)).with_status(2);
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

    /// The command: `command=` if it was assigned, else the first argument without `=`, else the environment's, else empty.
    pub fn command(&self) -> OsString {
        let assigned = self.assigned("command").map(OsString::from);
        assigned
            .or_else(|| self.command.map(OsString::from))
            .or_else(|| (self.environment)("command"))
            .unwrap_or_default()
    }

    /// A variable's value: the last one assigned, else the environment's. An empty value is none, as in `${var:-default}`.
    pub fn value(&self, name: &str) -> Option<String> {
        let inherited = || (self.environment)(name).map(|value| value.to_string_lossy().into_owned());
        self.assigned(name).map(String::from).or_else(inherited).filter(|value| !value.is_empty())
    }

    fn assigned(&self, name: &str) -> Option<&str> {
        self.assignments.iter().rev().find(|(assigned, _)| *assigned == name).map(|(_, value)| value.as_str())
    }

    /// The names that were assigned and are not among these, each once.
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

/// Whether the shell takes this for a variable's name.
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(args: &'a [OsString]) -> Result<Arguments<'a>, Failure> {
        Arguments::parse("network-virtual", args, &|name| (name == "netdev").then(|| "eth7".into()))
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
            assert_eq!(parse(&args).err().map(|failure| failure.status), Some(2), "{arg}");
        }
    }
}
