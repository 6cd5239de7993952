//! A network namespace with the kernel's tables, and iptables-legacy beside ours.

use std::env;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use brouter::firewall::chain::Table;
use brouter::firewall::error::Result as FirewallResult;
use brouter::firewall::table::KernelTables;
use brouter::kernel::Kernel;
use brouter::net::Family;
use libtest_mimic::Failed;

use crate::arguments::change;

/// Set in the namespaces.
const INSIDE: &str = "BROUTER_TEST_TABLES";

/// Returns why the tests cannot run here, if they cannot: `iptables-legacy-save` reads a file of /proc that is closed to root in a
/// user namespace.
pub(crate) fn lacks() -> Option<&'static str> {
    let runs = |words: &[&str]| Command::new(words[0]).args(&words[1..]).output().is_ok_and(|run| run.status.success());
    if env::var_os(INSIDE).is_some() {
        None
    } else if !nix::unistd::getuid().is_root() {
        Some("root itself is needed")
    } else if !runs(&["iptables-legacy", "--version"]) {
        Some("iptables-legacy is missing (Debian: apt-get install iptables)")
    } else if !runs(&["unshare", "-n", "-m", "true"]) {
        Some("cannot create network namespaces")
    } else {
        None
    }
}

/// Moves this process into network and mount namespaces of its own with an empty /run, by starting it again.
pub(crate) fn enter_namespaces() {
    if env::var_os(INSIDE).is_some() {
        return;
    }
    let own = env::current_exe().expect("this program");
    let mut unshare = Command::new("unshare");
    unshare.args(["-n", "-m", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh"]);
    unshare.arg(own).args(env::args_os().skip(1));
    let error = unshare.env(INSIDE, "1").exec();
    panic!("unshare: {error}");
}

/// A family's programs and tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host(pub(crate) Family);

impl Host {
    /// Returns the name of a program: `iptables-legacy` and, for IPv6, `ip6tables-legacy`.
    pub(crate) fn program(self, rest: &str) -> String {
        let name = if self.0 == Family::V4 { "iptables-legacy" } else { "ip6tables-legacy" };
        format!("{name}{rest}")
    }

    /// Runs iptables-legacy.
    pub(crate) fn iptables(self, line: &str) -> Output {
        let words = line.split(' ').filter(|word| !word.is_empty());
        Command::new(self.program("")).arg("-w").args(words).output().expect("iptables-legacy")
    }

    /// Gives both tables a content: what iptables-save -c prints.
    pub(crate) fn restore(self, content: &str) -> Result<(), Failed> {
        let mut restore = Command::new(self.program("-restore"));
        let mut restore =
            restore.args(["-c", "-w"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("iptables-legacy");
        let written = restore.stdin.take().expect("a pipe").write_all(content.as_bytes());
        let output = restore.wait_with_output()?;
        written?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("{}\n{content}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }

    /// Returns what iptables-legacy-save -c prints, without comments. It prints tables in no particular order. The counters of policies
    /// are left out where iptables keeps them when it changes a table: 1.8.11 does; 1.8.9 and ours set them to 0.
    pub(crate) fn save(self) -> String {
        let output = Command::new(self.program("-save")).arg("-c").output().expect("iptables-legacy");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("text");
        let lines: String =
            text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{}\n", comparable(line))).collect();
        let mut tables: Vec<&str> = lines.split_inclusive("COMMIT\n").collect();
        tables.sort_unstable();
        tables.concat()
    }

    /// Makes changes with ours.
    pub(crate) fn change(self, lines: &[&str]) -> FirewallResult<()> {
        let changes: Vec<_> = lines.iter().map(|line| change(self.0, line)).collect();
        KernelTables::new(&Kernel::running()).change(&changes)
    }

    /// Returns the entries of a table as the kernel has them. Counters, and what the kernel keeps for itself, are left out.
    pub(crate) fn entries(self, table: Table) -> Vec<u8> {
        let kernel = Kernel::running();
        let info = kernel.table_info(self.0, table.name()).expect("a table");
        let size = u32::from_ne_bytes(info[80..].try_into().expect("a number"));
        let head = 36_usize.next_multiple_of(align_of::<u64>());
        let mut entries = vec![0; head + size as usize];
        entries[..table.name().len()].copy_from_slice(table.name().as_bytes());
        entries[32..36].copy_from_slice(&size.to_ne_bytes());
        kernel.table_entries(self.0, &mut entries).expect("entries");
        entries.split_off(head)
    }
}

/// Cuts the counters off a policy, if this machine's iptables keeps them.
fn comparable(line: &str) -> &str {
    match line.split_once(" [") {
        Some((policy, _)) if line.starts_with(':') && keeps_policy_counters() => policy,
        _ => line,
    }
}

/// Whether this machine's iptables, later than 1.8.9, keeps the counters of policies when it changes a table.
pub(crate) fn keeps_policy_counters() -> bool {
    static IS_LATER: LazyLock<bool> = LazyLock::new(|| {
        let output = Command::new("iptables-legacy").arg("-V").output().expect("iptables-legacy");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = printed.split_once(" v").map_or("", |(_, rest)| rest);
        let numbers: Vec<u32> = version.split(['.', ' ']).map_while(|number| number.parse().ok()).collect();
        numbers > vec![1, 8, 9]
    });
    *IS_LATER
}
