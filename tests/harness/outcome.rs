//! The outcome of a run as text that can be compared, printed and written in a table: bytes that are not text are escaped, and
//! random values are replaced.

use std::process::Command;
use std::sync::LazyLock;

use crate::harness::host::Run;
use crate::harness::hosts::SYSTEM_PATH;

/// Texts of iproute2 that have changed between 6.1, which ours imitates, and 6.15 (Debian 13); each with what 6.1 prints.
const SINCE_6_1: [(&str, &str); 7] = [
    ("\" is garbage.", "\" is a garbage."),
    // who has made an address (IFA_PROTO, which kernels have since 5.18)
    (" proto kernel_lo ", " "),
    (" proto kernel_ll ", " "),
    ("scope 254 proto 0x1 ", "scope 254 "),
    (",\"protocol\":\"kernel_lo\"", ""),
    // usage of `type bridge`
    ("\\t\\t  [ mst_enabled MST_ENABLED ]\n", ""),
    ("\\t\\t  [ fdb_max_learned FDB_MAX_LEARNED ]\n", ""),
];

/// What `ip -V` prints if this machine's iproute2 is later than 6.1.
static LATER: LazyLock<Option<String>> = LazyLock::new(|| {
    let output = Command::new("ip").arg("-V").env("PATH", SYSTEM_PATH.join(":")).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    let mut numbers = printed.split_once("iproute2-")?.1.split(['.', ',']).map_while(|number| number.parse().ok());
    let version: (u32, u32) = (numbers.next()?, numbers.next()?);
    (version > (6, 1)).then_some(printed)
});

/// Returns whether this machine's iproute2 is later than the one that ours imitates. Rows in which it behaves in another way
/// need `iproute2-6.1`.
pub(crate) fn is_iproute2_later() -> bool {
    LATER.is_some()
}

/// Replaces what a later iproute2 prints with what 6.1 prints.
fn as_6_1(text: String) -> String {
    let Some(version) = LATER.as_deref() else { return text };
    let text = text.replace(version, "ip utility, iproute2-6.1.0, libbpf 1.1.2\n");
    SINCE_6_1.iter().fold(text, |text, (later, former)| text.replace(later, former))
}

/// The outcome of a run. Tabs, backslashes, control characters and invalid UTF-8 are escaped.
#[derive(PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) kernel: String,
}

impl Outcome {
    /// Normalises the results of a run. `timers`: standard output contains running timers.
    pub(crate) fn of(run: &Run, timers: bool) -> Self {
        let stdout = as_6_1(escaped(&run.stdout));
        let kernel = escaped(&run.kernel);
        let macs = random_macs(&[&stdout, &kernel]);
        Self {
            status: run.status,
            stdout: named(&if timers { without_timers(&stdout) } else { stdout }, &macs),
            stderr: named(&as_6_1(escaped(&run.stderr)), &macs),
            kernel: named(&kernel, &macs),
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => text.push('\n'),
                '\t' => text += "\\t",
                '\\' => text += "\\\\",
                control if control.is_ascii_control() => text += &format!("\\x{:02x}", u32::from(control)),
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02x}");
        }
    }
    text
}

/// Returns the MAC addresses that the kernel chose at random, in order of appearance: all but those that the tables assign.
fn random_macs(texts: &[&str]) -> Vec<String> {
    let mut macs: Vec<String> = Vec::new();
    for text in texts {
        for (at, heading) in text.match_indices("link/ether ") {
            let mac: String = text[at + heading.len()..].chars().take_while(|c| !c.is_whitespace()).collect();
            if !mac.starts_with("02:00:00") && !macs.contains(&mac) {
                macs.push(mac);
            }
        }
    }
    macs
}

/// Replaces these addresses with MAC1, MAC2 …, in each of the three notations: `02:0a:…` (ip), `2:a:…` (ip, in a bridge id) and
/// `020a…` (brctl and /sys, in a bridge id).
fn named(text: &str, macs: &[String]) -> String {
    let mut text = text.to_owned();
    for (at, mac) in macs.iter().enumerate() {
        let name = format!("MAC{}", at + 1);
        let short: Vec<&str> = mac.split(':').map(|byte| byte.strip_prefix('0').unwrap_or(byte)).collect();
        text = text.replace(mac, &name).replace(&short.join(":"), &name).replace(&mac.replace(':', ""), &name);
    }
    text
}

/// Replaces the number in `hello timer\t\t   1.97` of showstp and `yes\t\t   1.97` of showmacs with `*`.
fn without_timers(text: &str) -> String {
    let mut cells = Vec::new();
    let mut heading = "";
    for cell in text.split("\\t") {
        // Lines are not split: a cell may contain the end of one line and the start of the next.
        let (number, rest) = cell.split_at(cell.find('\n').unwrap_or(cell.len()));
        let running = is_clock(number.trim_start()) && (heading.ends_with("timer") || ["yes", "no"].contains(&heading));
        cells.push(if running { format!("*{rest}") } else { cell.to_owned() });
        if !cell.is_empty() {
            heading = cell;
        }
    }
    cells.join("\\t")
}

/// Returns whether a word is seconds with hundredths: `12.34`.
fn is_clock(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.')
        .is_some_and(|(seconds, hundredths)| digits(seconds) && hundredths.len() == 2 && digits(hundredths))
}
