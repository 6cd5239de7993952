//! Settings of a network: a variable, its value, and where it was given: an option, or a line of `/etc/brouter/NAME.conf`.

use std::fmt;
use std::io;

use crate::error::io_text;
use crate::kernel::Kernel;
use crate::net::{BadName, InterfaceName};
use crate::shell::unquoted;
use crate::small_file;

/// A variable and its value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where it was given.
    pub place: Place,
    /// One of [`VARIABLES`].
    pub variable: String,
    /// Its value, unquoted.
    pub value: String,
}

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An option of the command line.
    Option,
    /// A line of a file.
    Line(String, usize),
}

/// `--` before the name of an option, `FILE:LINE: ` before that of a variable.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Option => f.write_str("--"),
            Place::Line(file, number) => write!(f, "{file}:{number}: "),
        }
    }
}

/// Why settings do not describe a network.
#[derive(Debug)]
pub enum SpecError {
    /// The name of the network is not one.
    Name(String, BadName),
    /// A value is not what its variable takes.
    Value(Box<Setting>, String),
    /// A line of a file is no setting: what it says, and what is wrong with that.
    Line(Place, String),
    /// A file cannot be read.
    File(String, io::Error),
    /// Settings that do not go together, or miss something: the network, and what is wrong.
    Together(String, &'static str),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::Name(name, fault) => write!(f, "{name}: {fault}"),
            SpecError::Value(setting, expected) => {
                let Setting { place, variable, value } = &**setting;
                let name = if *place == Place::Option { variable.replace('_', "-") } else { variable.clone() };
                write!(f, "{place}{name}=\"{value}\": {expected}")
            }
            SpecError::Line(place, text) => write!(f, "{place}{text}"),
            SpecError::File(file, error) => write!(f, "{file}: {}", io_text(error)),
            SpecError::Together(network, text) => write!(f, "{network}: {text}"),
        }
    }
}

impl Setting {
    /// The error that the value is not what is expected.
    pub(super) fn refuse(&self, expected: impl fmt::Display) -> SpecError {
        SpecError::Value(Box::new(self.clone()), expected.to_string())
    }

    pub(super) fn interface(&self) -> Result<InterfaceName, SpecError> {
        self.value.parse().map_err(|fault: BadName| self.refuse(fault))
    }

    /// One of two words: false for the first, true for the second.
    pub(super) fn choice(&self, [no, yes]: [&str; 2]) -> Result<bool, SpecError> {
        match self.value.as_str() {
            value if value == yes => Ok(true),
            value if value == no => Ok(false),
            _ => Err(self.refuse(format_args!("{yes} or {no} is expected"))),
        }
    }

    /// A number without a sign.
    pub(super) fn number<T: std::str::FromStr>(
        &self,
        expected: &str,
        is_right: impl Fn(&T) -> bool,
    ) -> Result<T, SpecError> {
        let digits = Some(&self.value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).filter(is_right).ok_or_else(|| self.refuse(expected))
    }
}

/// The variables that a file can set.
const VARIABLES: [&str; 18] = [
    "bridge",
    "vifnum",
    "mac",
    "address",
    "brnet",
    "outside",
    "masquerade",
    "antispoof",
    "stp",
    "forward_delay",
    "port",
    "tunnel",
    "mtu",
    "firewall",
    "firewall_backend",
    "publish",
    "isolate",
    "force",
];

/// Variables that can be set several times.
const REPEATABLE: [&str; 5] = ["address", "port", "tunnel", "brnet", "publish"];

/// Variables of network-virtual that have another name here.
const FORMER: [(&str, &str); 2] = [("bridgeip", "address"), ("netdev", "outside")];

/// Reads `/etc/brouter/NAME.conf`; nothing if there is no such file.
///
/// # Errors
/// Where the file cannot be read, or the first line that is no setting.
pub(super) fn read_file(kernel: &Kernel, name: &str) -> Result<Option<Vec<Setting>>, SpecError> {
    let file = format!("/etc/brouter/{name}.conf");
    match small_file::read(&kernel.path(&file)) {
        Ok(text) => parse(&file, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SpecError::File(file, error)),
    }
}

/// Parses the lines of a file: `VARIABLE=VALUE`, quoted as in a shell, and comments.
fn parse(file: &str, text: &[u8]) -> Result<Vec<Setting>, SpecError> {
    let mut settings: Vec<Setting> = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let place = Place::Line(file.into(), number + 1);
        let refuse = |text: String| Err(SpecError::Line(place.clone(), text));
        let Ok(line) = str::from_utf8(line) else { return refuse("not UTF-8".into()) };
        let line = line.trim();
        if let Some(control) = line.chars().find(|c| c.is_control() && *c != '\t') {
            return refuse(format!("holds the control character {:#04x}: remove it", u32::from(control)));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((variable, value)) = line.split_once('=') else {
            return refuse(format!("{line}: VARIABLE=VALUE is expected, or a comment behind #"));
        };
        let variable = FORMER.into_iter().find(|(former, _)| *former == variable).map_or(variable, |(_, now)| now);
        if !VARIABLES.contains(&variable) {
            let known = VARIABLES.join(" ");
            return refuse(format!("{variable}: no such variable; expected is one of bridgeip netdev {known}"));
        }
        let value = match unquoted(value.split(" #").next().unwrap_or(value)) {
            Ok(value) if !value.is_empty() => value,
            Ok(_) => return refuse(format!("{variable}: a value is expected")),
            Err(fault) => return refuse(format!("{line}: {fault}")),
        };
        if !REPEATABLE.contains(&variable) && settings.iter().any(|setting| setting.variable == variable) {
            return refuse(format!("{variable}: given twice, but has one value"));
        }
        settings.push(Setting { place, variable: variable.into(), value });
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_strictly() {
        let good = "# a network\n\nbridgeip=\"10.0.0.1/24\"\nnetdev=eth0  # the wire\n port='p1'\nport=p2\n";
        let settings = parse("f", good.as_bytes()).unwrap();
        let settings: Vec<_> = settings.iter().map(|setting| [&*setting.variable, &setting.value]).collect();
        assert_eq!(settings, [["address", "10.0.0.1/24"], ["outside", "eth0"], ["port", "p1"], ["port", "p2"]]);
        for (text, fault) in [
            ("\nbridge", ":2: bridge: VARIABLE=VALUE is expected"),
            ("strict=yes", ":1: strict: no such variable"),
            ("=x", ":1: : no such variable"),
            ("mtu=", ":1: mtu: a value is expected"),
            ("mtu=1\nmtu=2", ":2: mtu: given twice"),
            ("mtu=1\nfirewall=/bin/a\0b", ":2: holds the control character 0x00"),
            ("# \x1b[31m", ":1: holds the control character 0x1b"),
            ("bridge=$(id)", ":1: bridge=$(id): needs a shell"),
        ] {
            let error = parse("/etc/brouter/n.conf", text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("/etc/brouter/n.conf{fault}")), "{error}");
        }
    }
}
