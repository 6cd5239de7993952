//! What a run came to, in a form that can be compared, shown and written in a table: text, with escapes for what is none, and
//! without what differs by chance.

use crate::harness::host::Run;

/// What a run came to. Tabs, backslashes and bytes that are no text are escaped.
#[derive(PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) kernel: String,
}

impl Outcome {
    /// `timers`: the output shows running timers.
    pub(crate) fn of(run: &Run, timers: bool) -> Self {
        let stdout = escaped(&run.stdout);
        let kernel = escaped(&run.kernel);
        let macs = random_macs(&[&stdout, &kernel]);
        Self {
            status: run.status,
            stdout: named(&if timers { without_timers(&stdout) } else { stdout }, &macs),
            stderr: named(&escaped(&run.stderr), &macs),
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

/// The addresses that the kernel has made up, in order of appearance: all but those that the tables give.
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

/// Calls the addresses MAC1, MAC2 …, in each of the three ways that they are written: `02:0a:…` (ip), `2:a:…` (ip, within a
/// bridge id) and `020a…` (brctl and /sys, within a bridge id).
fn named(text: &str, macs: &[String]) -> String {
    let mut text = text.to_owned();
    for (at, mac) in macs.iter().enumerate() {
        let name = format!("MAC{}", at + 1);
        let short: Vec<&str> = mac.split(':').map(|byte| byte.strip_prefix('0').unwrap_or(byte)).collect();
        text = text.replace(mac, &name).replace(&short.join(":"), &name).replace(&mac.replace(':', ""), &name);
    }
    text
}

/// `hello timer\t\t   1.97` of showstp and `yes\t\t   1.97` of showmacs, without the number.
fn without_timers(text: &str) -> String {
    let mut cells = Vec::new();
    let mut heading = "";
    for cell in text.split("\\t") {
        // The last cell of a line goes on with the first of the next.
        let (number, rest) = cell.split_at(cell.find('\n').unwrap_or(cell.len()));
        let running = is_clock(number.trim_start()) && (heading.ends_with("timer") || ["yes", "no"].contains(&heading));
        cells.push(if running { format!("*{rest}") } else { cell.to_owned() });
        if !cell.is_empty() {
            heading = cell;
        }
    }
    cells.join("\\t")
}

/// Seconds with hundredths: `12.34`.
fn is_clock(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.')
        .is_some_and(|(seconds, hundredths)| digits(seconds) && hundredths.len() == 2 && digits(hundredths))
}
