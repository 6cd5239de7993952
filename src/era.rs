//! Eras: which versions of bridge-utils and iproute2 are followed, today's or those of Xen 3's time.
//!
//! Today's are bridge-utils 1.7.1 and iproute2 6.1. Those of 2006 are bridge-utils 1.0.6 without libsysfs and iproute2
//! ss060323, contemporaries of Linux 2.6.16. Their differences are data: the fields below, the era that a verb or keyword of a
//! table [needs](Era::knows), and the [former](crate::error::Failure::formerly) text of a failure.

use std::ffi::{OsStr, OsString};

use crate::net::prefix::Notation;

/// An era, named after its tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// bridge-utils 1.0.6 without libsysfs, iproute2 ss060323: on Linux before 3.0.
    Of2006,
    /// bridge-utils 1.7.1, iproute2 6.1.
    #[default]
    Today,
}

/// Environment variable that overrides the kernel's era: `2006` or `today`.
pub const VARIABLE: &str = "BROUTER_ERA";

/// A value of [`VARIABLE`] that names no era.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEra(pub OsString);

/// What differs in brctl.
pub struct Brctl {
    /// What `-V` prints.
    pub version: &'static str,
    /// The complaint about an unknown command names the word after it (1.0.6), else the command.
    pub names_next_word: bool,
    /// `show` takes names of bridges, and prints its header only above a bridge. (1.0.6: always all bridges and the header.)
    pub show_takes_names: bool,
    /// Bridges and ports come from /sys first, sorted by name. (1.0.6: from ioctls, bridges in the order of their creation, ports
    /// by number.)
    pub by_sysfs: bool,
}

/// What differs in ip.
pub struct Ip {
    /// What `-V` prints.
    pub version: &'static str,
    /// An empty word is no keyword. (ss060323: it abbreviates any keyword.)
    pub empty_means_nothing: bool,
    /// Name of an expected address in complaints: of either family, IPv4, IPv6.
    pub expected: [&'static str; 3],
    /// Notation of IPv4 addresses and prefix lengths.
    pub notation: Notation,
    /// An address may have any label. (ss060323: one that begins with the device's name.)
    pub any_label: bool,
    /// A flush that finds nothing reports that with `-statistics` only. (ss060323: always, on standard error.)
    pub quiet_flush: bool,
    /// A route must have a destination. (ss060323: without one it is the default route.)
    pub needs_destination: bool,
    /// `via` takes a family before the address.
    pub via_family: bool,
    /// `ip route show default` lists the default route only. (ss060323: any route.)
    pub finds_default: bool,
    /// A missing table is an error. (Kernels of 2006 did not report it.)
    pub misses_tables: bool,
    /// Hardware types without a name yet (linux/if_arp.h, ARPHRD_*).
    pub unnamed_kinds: &'static [u16],
    /// Flags of IPv6 addresses in the order of printing: the flag, whether it must be set or clear, its name. Other flags are
    /// printed as a number.
    pub address_flags: &'static [(u32, bool, &'static str)],
    /// Flags of a link that have names; others are printed as a number.
    pub named_flags: u32,
    /// Links are printed with `state`, `group`, the alias and, in `ip link`, `mode`.
    pub all_of_link: bool,
    /// An IPv4 address has lifetimes. (Before Linux 3.9 only IPv6's had them.)
    pub lifetimes_v4: bool,
    /// A label is compared with the names of links too, and `-oneline` leaves out the line of a link only with a family.
    /// (6.1: links are not listed at all if a label is given.)
    pub label_selects_links: bool,
    /// `ip address show` lists links although none of their addresses is asked for.
    pub lists_unmatched_links: bool,
    /// `ip -6 address show DEVICE` asks the kernel for the one link, which tells more of it than a list.
    pub asks_for_one_link: bool,
    /// `ip -s address show` shows the statistics of links.
    pub statistics_of_addresses: bool,
    /// Text in front of each field of a route from `table` on.
    pub before_route_field: &'static str,
    /// Text around a route's `window`, `rtt` and `advmss`.
    pub around_route_metric: [&'static str; 2],
    /// Routes are printed with fields that came later: `linkdown`, `pref`, `uid`, the empty source of an IPv6 route lookup; and with
    /// their type even if the filter selects one type.
    pub all_of_route: bool,
}

const TODAY: (Brctl, Ip) = (
    Brctl { version: "bridge-utils, 1.7\n", names_next_word: false, show_takes_names: true, by_sysfs: true },
    Ip {
        version: "ip utility, iproute2-6.1.0, libbpf 1.1.2\n",
        empty_means_nothing: true,
        expected: ["any valid", "inet", "inet6"],
        notation: Notation::C,
        any_label: true,
        quiet_flush: true,
        needs_destination: true,
        via_family: true,
        finds_default: true,
        misses_tables: true,
        unnamed_kinds: &[],
        address_flags: &[
            (libc::IFA_F_SECONDARY, true, "temporary"),
            (libc::IFA_F_NODAD, true, "nodad"),
            (libc::IFA_F_OPTIMISTIC, true, "optimistic"),
            (libc::IFA_F_DADFAILED, true, "dadfailed"),
            (libc::IFA_F_HOMEADDRESS, true, "home"),
            (libc::IFA_F_DEPRECATED, true, "deprecated"),
            (libc::IFA_F_TENTATIVE, true, "tentative"),
            (libc::IFA_F_PERMANENT, false, "dynamic"),
        ],
        named_flags: !0,
        all_of_link: true,
        lifetimes_v4: true,
        label_selects_links: false,
        lists_unmatched_links: false,
        asks_for_one_link: true,
        statistics_of_addresses: true,
        before_route_field: "",
        around_route_metric: ["", " "],
        all_of_route: true,
    },
);

const OF_2006: (Brctl, Ip) = (
    Brctl { version: "bridge-utils, 1.0.6\n", names_next_word: true, show_takes_names: false, by_sysfs: false },
    Ip {
        version: "ip utility, iproute2-ss060323\n",
        empty_means_nothing: false,
        expected: ["an inet"; 3],
        notation: Notation::Decimal,
        any_label: false,
        quiet_flush: false,
        needs_destination: false,
        via_family: false,
        finds_default: false,
        misses_tables: false,
        // ARPHRD_IP6GRE, ARPHRD_NONE
        unnamed_kinds: &[823, 0xfffe],
        address_flags: &[
            (libc::IFA_F_SECONDARY, true, "secondary"),
            (libc::IFA_F_TENTATIVE, true, "tentative"),
            (libc::IFA_F_DEPRECATED, true, "deprecated"),
            (libc::IFA_F_PERMANENT, false, "dynamic"),
        ],
        named_flags: 0xffff,
        all_of_link: false,
        lifetimes_v4: false,
        label_selects_links: true,
        lists_unmatched_links: true,
        asks_for_one_link: false,
        statistics_of_addresses: false,
        before_route_field: " ",
        around_route_metric: [" ", ""],
        all_of_route: false,
    },
);

static TABLE: [(Brctl, Ip); 2] = [OF_2006, TODAY];

impl Era {
    /// Returns the era that the user chose by [`VARIABLE`], else that of the kernel's release. An empty value is no choice.
    ///
    /// # Errors
    /// A value that names neither era.
    pub fn choose(chosen: Option<&OsStr>, release: impl FnOnce() -> OsString) -> Result<Self, UnknownEra> {
        let chosen = chosen.unwrap_or_default();
        match chosen.as_encoded_bytes() {
            b"" => Ok(Era::of_release(&release())),
            b"2006" => Ok(Era::Of2006),
            b"today" => Ok(Era::Today),
            _ => Err(UnknownEra(chosen.into())),
        }
    }

    /// Returns the era of a kernel's release, such as `2.6.18-xen`; today's for any other text.
    fn of_release(release: &OsStr) -> Self {
        let release = release.as_encoded_bytes();
        let digits = release.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match release.get(..digits) {
            Some(b"1" | b"2") => Era::Of2006,
            _ => Era::Today,
        }
    }

    /// Returns whether this era has what came with another one.
    pub fn knows(self, since: Era) -> bool {
        since <= self
    }

    /// Returns what differs in brctl.
    pub fn brctl(self) -> &'static Brctl {
        &TABLE[self as usize].0
    }

    /// Returns what differs in ip.
    pub fn ip(self) -> &'static Ip {
        &TABLE[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_before_3_0_is_of_2006() {
        let known = [
            ("2.6.18-xen", Era::Of2006),
            ("2.6.32.69", Era::Of2006),
            ("3.0.0", Era::Today),
            ("10.0", Era::Today),
            ("20.1", Era::Today),
            ("", Era::Today),
        ];
        for (release, era) in known {
            assert_eq!(Era::of_release(release.as_ref()), era, "{release}");
        }
    }

    #[test]
    fn the_user_has_the_last_word() {
        let release = || OsString::from("2.6.18-xen");
        let choose = |word: &str| Era::choose(Some(word.as_ref()), release);
        assert_eq!(Era::choose(None, release), Ok(Era::Of2006));
        assert_eq!(choose(""), Ok(Era::Of2006));
        assert_eq!(choose("today"), Ok(Era::Today));
        assert_eq!(choose("2006"), Ok(Era::Of2006));
        assert_eq!(choose("2005"), Err(UnknownEra("2005".into())));
    }
}
