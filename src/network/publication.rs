//! Publications: a guest's ports under the host's own addresses, as `--publish` and `publish=` have them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::firewall::traffic::{Ports, Protocol};
use crate::net::Family;

/// Guest's ports that the host answers for: `[ADDRESS:]PORTS:GUEST[:PORTS][/PROTOCOL]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The host's address; `None` for each of them.
    pub address: Option<IpAddr>,
    /// Ports of the host.
    pub ports: Ports,
    /// The guest's address.
    pub guest: IpAddr,
    /// Ports of the guest, as many as of the host.
    pub guest_ports: Ports,
}

/// Why a text is no publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPublication {
    /// It has not the parts of one.
    Malformed,
    /// This is neither a port nor a range of ports.
    Port(String),
    /// The last port of this range is below the first.
    Backwards(Ports),
    /// This is neither `tcp` nor `udp`.
    Protocol(String),
    /// This is not an address that a guest or a host can have.
    Address(String),
    /// The host's address is of another family than the guest's.
    Families,
    /// The host is to answer at an address that only it reaches.
    Loopback,
    /// The ranges are not equally long: of the host, of the guest.
    Lengths(Ports, Ports),
    /// A range so long keeps its numbers.
    Shifted(Ports),
}

/// Most ports of a range that gets other numbers: each of them needs rules of its own.
pub const MOST_SHIFTED: u32 = 100;

impl Publication {
    /// Returns publications that each keep their numbers or have one port: what one rule can say.
    pub fn split(self) -> Vec<Self> {
        if self.ports == self.guest_ports || self.ports.count() == 1 {
            return vec![self];
        }
        let pairs = (self.ports.first..=self.ports.last).zip(self.guest_ports.first..=self.guest_ports.last);
        let one = |(port, guest_port)| Publication {
            ports: Ports { first: port, last: port },
            guest_ports: Ports { first: guest_port, last: guest_port },
            ..self
        };
        pairs.map(one).collect()
    }

    /// Returns the family of its addresses.
    pub fn family(&self) -> Family {
        if self.guest.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// Returns whether some connection is meant by both.
    pub fn conflicts(&self, other: &Publication) -> bool {
        let shares_address = match (self.address, other.address) {
            (Some(one), Some(other)) => one == other,
            _ => self.guest.is_ipv4() == other.guest.is_ipv4(),
        };
        self.protocol == other.protocol && shares_address && self.ports.overlaps(other.ports)
    }
}

impl FromStr for Publication {
    type Err = BadPublication;

    fn from_str(text: &str) -> Result<Self, BadPublication> {
        let (text, protocol) = match text.rsplit_once('/') {
            Some((text, word)) => (text, protocol(word)?),
            None => (text, Protocol::Tcp),
        };
        let fields = fields(text).ok_or(BadPublication::Malformed)?;
        let (address, ports, guest, guest_ports) = match *fields.as_slice() {
            [ports, guest] => (None, ports, guest, None),
            [address, ports, guest] if is_address(address) => (Some(address), ports, guest, None),
            [ports, guest, guest_ports] => (None, ports, guest, Some(guest_ports)),
            [address, ports, guest, guest_ports] if is_address(address) => {
                (Some(address), ports, guest, Some(guest_ports))
            }
            _ => return Err(BadPublication::Malformed),
        };
        let address = address.map(parse_address).transpose()?;
        let ports = parse_ports(ports)?;
        let guest = parse_address(guest)?;
        let guest_ports = guest_ports.map_or(Ok(ports), parse_ports)?;
        Publication { protocol, address, ports, guest, guest_ports }.checked()
    }
}

impl Publication {
    fn checked(mut self) -> Result<Self, BadPublication> {
        if self.guest.is_unspecified() || self.guest.is_loopback() || self.guest.is_multicast() {
            return Err(BadPublication::Address(self.guest.to_string()));
        }
        match self.address {
            Some(address) if address.is_ipv4() != self.guest.is_ipv4() => return Err(BadPublication::Families),
            Some(address) if address.is_loopback() => return Err(BadPublication::Loopback),
            Some(address) if address.is_multicast() => return Err(BadPublication::Address(address.to_string())),
            // 0.0.0.0 and :: stand for every address, as in bind(2)
            Some(address) if address.is_unspecified() => self.address = None,
            _ => (),
        }
        let count = self.ports.count();
        if count != self.guest_ports.count() {
            return Err(BadPublication::Lengths(self.ports, self.guest_ports));
        }
        if self.ports != self.guest_ports && count > MOST_SHIFTED {
            return Err(BadPublication::Shifted(self.ports));
        }
        Ok(self)
    }
}

fn protocol(word: &str) -> Result<Protocol, BadPublication> {
    match word {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(BadPublication::Protocol(word.into())),
    }
}

/// Splits at colons that are not in brackets; `None` if brackets do not match.
fn fields(text: &str) -> Option<Vec<&str>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let end = match rest.strip_prefix('[') {
            Some(inner) => inner.find(']')? + 2,
            None => rest.find(':').unwrap_or(rest.len()),
        };
        fields.push(&rest[..end]);
        match rest[end..].strip_prefix(':') {
            Some(next) => rest = next,
            None if end == rest.len() => return Some(fields),
            None => return None,
        }
    }
}

/// Returns whether a field is meant as an address.
fn is_address(field: &str) -> bool {
    field.starts_with('[') || field.contains('.')
}

/// Parses an IPv4 address, or an IPv6 address in brackets.
fn parse_address(field: &str) -> Result<IpAddr, BadPublication> {
    let bare = field.strip_prefix('[').and_then(|field| field.strip_suffix(']'));
    let parsed = match bare {
        Some(bare) => bare.parse().map(IpAddr::V6).ok(),
        None => field.parse().map(IpAddr::V4).ok(),
    };
    parsed.ok_or_else(|| BadPublication::Address(field.into()))
}

fn parse_ports(field: &str) -> Result<Ports, BadPublication> {
    let port = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let port = Some(text).filter(|_| is_number).and_then(|text| text.parse().ok());
        port.filter(|&port: &u16| port != 0).ok_or_else(|| BadPublication::Port(text.into()))
    };
    let (first, last) = field.split_once('-').unwrap_or((field, field));
    let range = Ports { first: port(first)?, last: port(last)? };
    if range.last < range.first { Err(BadPublication::Backwards(range)) } else { Ok(range) }
}

/// Ports as they are typed here: `8080`, `8000-8010`.
struct Range(Ports);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first == self.0.last {
            true => write!(f, "{}", self.0.first),
            false => write!(f, "{}-{}", self.0.first, self.0.last),
        }
    }
}

/// As it is parsed, with everything that it says.
impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            write!(f, "{}:", Bracketed(address))?;
        }
        let (ports, guest_ports) = (Range(self.ports), Range(self.guest_ports));
        write!(f, "{ports}:{}:{guest_ports}/{}", Bracketed(self.guest), self.protocol)
    }
}

/// An address as it stands before a port.
struct Bracketed(IpAddr);

impl fmt::Display for Bracketed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for BadPublication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadPublication::Malformed => f.write_str(
                "[ADDRESS:]PORT:GUEST[:PORT][/tcp|udp] is expected, such as 8080:192.168.10.7:80, an IPv6 address in brackets",
            ),
            BadPublication::Port(port) => write!(f, "{port:?} is not a port: 1 to 65535, or a range such as 8000-8010"),
            BadPublication::Backwards(Ports { first, last }) => {
                write!(f, "the range {first}-{last} runs backwards: {last}-{first}")
            }
            BadPublication::Protocol(word) => write!(f, "{word:?} is not a protocol: tcp or udp is expected"),
            BadPublication::Address(text) => write!(
                f,
                "{text:?} is not an address of a host: 192.168.10.7, or IPv6 in brackets, [fd00::7]"
            ),
            BadPublication::Families => f.write_str("the host's address and the guest's must be of one family"),
            BadPublication::Loopback => {
                f.write_str("connections to 127.0.0.0/8 and ::1 stay on the host: give another of its addresses, or none")
            }
            BadPublication::Lengths(host, guest) => write!(
                f,
                "{} ports ({}) cannot go to {} ({}): give as many, or leave out the guest's",
                host.count(),
                Range(*host),
                guest.count(),
                Range(*guest)
            ),
            BadPublication::Shifted(range) => write!(
                f,
                "{} ports ({}) are too many to get other numbers: at most {MOST_SHIFTED}, or leave out the guest's",
                range.count(),
                Range(*range)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match text.parse::<Publication>() {
            Ok(publication) => publication.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn publications_and_what_they_mean() {
        for (text, wanted) in [
            ("80:10.0.0.7", "80:10.0.0.7:80/tcp"),
            ("8080:10.0.0.7:80", "8080:10.0.0.7:80/tcp"),
            ("53:10.0.0.7/udp", "53:10.0.0.7:53/udp"),
            ("8000-8010:10.0.0.7", "8000-8010:10.0.0.7:8000-8010/tcp"),
            ("8000-8010:10.0.0.7:9000-9010/udp", "8000-8010:10.0.0.7:9000-9010/udp"),
            ("192.0.2.1:80:10.0.0.7", "192.0.2.1:80:10.0.0.7:80/tcp"),
            ("192.0.2.1:80:10.0.0.7:8080/tcp", "192.0.2.1:80:10.0.0.7:8080/tcp"),
            ("0.0.0.0:80:10.0.0.7", "80:10.0.0.7:80/tcp"),
            ("80:[fd00::7]", "80:[fd00::7]:80/tcp"),
            ("80:[fd00::7]:8080/udp", "80:[fd00::7]:8080/udp"),
            ("[2001:db8::1]:80:[fd00::7]:8080", "[2001:db8::1]:80:[fd00::7]:8080/tcp"),
            ("[::]:1-65535:[fd00:0::7]", "1-65535:[fd00::7]:1-65535/tcp"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
            assert_eq!(shown(wanted), wanted, "what is shown is read back");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wanted) in [
            ("", "[ADDRESS:]PORT"),
            ("80", "[ADDRESS:]PORT:GUEST"),
            ("80:", "\"\" is not an address"),
            (":80:10.0.0.7", "\"\" is not a port"),
            ("0:10.0.0.7", "\"0\" is not a port"),
            ("65536:10.0.0.7", "\"65536\" is not a port"),
            ("80:10.0.0.7:0", "\"0\" is not a port"),
            ("+80:10.0.0.7", "\"+80\" is not a port"),
            ("http:10.0.0.7", "\"http\" is not a port"),
            ("80-:10.0.0.7", "\"\" is not a port"),
            ("90-80:10.0.0.7", "the range 90-80 runs backwards: 80-90"),
            ("80:10.0.0.7/sctp", "\"sctp\" is not a protocol"),
            ("80:10.0.0.7/TCP", "\"TCP\" is not a protocol"),
            ("80:10.0.0.7/", "\"\" is not a protocol"),
            ("80:10.0.0.256", "\"10.0.0.256\" is not an address"),
            ("80:guest", "\"guest\" is not an address"),
            ("80:fd00::7", "[ADDRESS:]PORT"),
            ("80:fd00::7:80", "[ADDRESS:]PORT"),
            ("80:[fd00::7", "[ADDRESS:]PORT"),
            ("80:[10.0.0.7]", "\"[10.0.0.7]\" is not an address"),
            ("80:127.0.0.1", "\"127.0.0.1\" is not an address"),
            ("80:0.0.0.0", "\"0.0.0.0\" is not an address"),
            ("127.0.0.1:80:10.0.0.7", "connections to 127.0.0.0/8 and ::1 stay on the host"),
            ("[::1]:80:[fd00::7]", "connections to 127.0.0.0/8 and ::1 stay on the host"),
            ("192.0.2.1:80:[fd00::7]", "the host's address and the guest's"),
            ("80-82:10.0.0.7:90", "3 ports (80-82) cannot go to 1 (90)"),
            ("1000-2000:10.0.0.7:3000-4000", "1001 ports (1000-2000) are too many"),
            ("1:80:10.0.0.7:80", "[ADDRESS:]PORT"),
            ("192.0.2.1:1:10.0.0.7:1:1", "[ADDRESS:]PORT"),
        ] {
            assert!(shown(text).starts_with(wanted), "{text}: {}", shown(text));
        }
    }

    #[test]
    fn conflicts_and_splits() {
        let of = |text: &str| text.parse::<Publication>().unwrap();
        for (one, other, wanted) in [
            ("80:10.0.0.7", "80:10.0.0.8", true),
            ("80:10.0.0.7", "80:10.0.0.8/udp", false),
            ("80:10.0.0.7", "192.0.2.1:80:10.0.0.8", true),
            ("192.0.2.2:80:10.0.0.7", "192.0.2.1:80:10.0.0.8", false),
            ("80:10.0.0.7", "80:[fd00::8]", false),
            ("8000-8010:10.0.0.7", "8010:10.0.0.8", true),
            ("8000-8010:10.0.0.7", "8011:10.0.0.8", false),
        ] {
            assert_eq!(of(one).conflicts(&of(other)), wanted, "{one} {other}");
            assert_eq!(of(other).conflicts(&of(one)), wanted, "{other} {one}");
        }
        let split = |text| of(text).split().iter().map(Publication::to_string).collect::<Vec<_>>();
        assert_eq!(split("8000-8010:10.0.0.7"), ["8000-8010:10.0.0.7:8000-8010/tcp"]);
        assert_eq!(split("80:10.0.0.7:8080"), ["80:10.0.0.7:8080/tcp"]);
        assert_eq!(split("65534-65535:10.0.0.7:1-2"), ["65534:10.0.0.7:1/tcp", "65535:10.0.0.7:2/tcp"]);
        assert_eq!(split("1-2:10.0.0.7:65534-65535"), ["1:10.0.0.7:65534/tcp", "2:10.0.0.7:65535/tcp"]);
    }
}
