//! What a network is to be: the options of `brouter up` and `brouter down`, and the lines of `/etc/brouter/NAME.conf`.
//!
//! Both are read as words `VARIABLE VALUE`, each with the place that it came from, and checked alike. Options go before the
//! file: of a variable that an option gives, the file's lines do not count.

use argh::FromArgs;
use ipnet::{IpNet, Ipv4Net};

use super::complaint;
use crate::error::{Failure, io_text, line};
use crate::kernel::Kernel;
use crate::net::ClockTime;
use crate::net::fault_of_name;
use crate::net::number;
use crate::shell::unquoted;

/// Make a network (up) or take it away (down), as options say or /etc/brouter/NAME.conf.
#[derive(FromArgs, Default)]
pub(crate) struct Options {
    /// the network; its file, and its bridge unless that has another name
    #[argh(positional)]
    name: Option<String>,

    /// the bridge
    #[argh(option, arg_name = "if")]
    bridge: Option<String>,

    /// an address of the bridge with its prefix, IPv4 or IPv6; repeatable
    #[argh(option, arg_name = "addr/len")]
    address: Vec<String>,

    /// the interface to the outside: packets are forwarded
    #[argh(option, arg_name = "if")]
    outside: Option<String>,

    /// masquerade the IPv4 networks
    #[argh(switch)]
    masquerade: bool,

    /// forward only what comes from outside, and what vif-bridge lets through
    #[argh(switch)]
    antispoof: bool,

    /// spanning tree, on or off (off)
    #[argh(option, arg_name = "on|off")]
    stp: Option<String>,

    /// seconds before a port forwards (0 without spanning tree)
    #[argh(option, arg_name = "seconds")]
    forward_delay: Option<String>,

    /// an interface to be put on the bridge; repeatable
    #[argh(option, arg_name = "if")]
    port: Vec<String>,

    /// bytes that a frame may carry
    #[argh(option, arg_name = "bytes")]
    mtu: Option<String>,

    /// a command to be run afterwards, with its arguments
    #[argh(option, arg_name = "command")]
    firewall: Option<String>,

    /// print the steps, and change nothing
    #[argh(switch)]
    pub(crate) dry_run: bool,
}

/// A value that is wanted, and where that was said.
struct Word {
    /// `--` or `FILE:LINE: `.
    place: String,
    variable: String,
    value: String,
}

impl Word {
    fn refuse(&self, expected: &str) -> Failure {
        let Word { place, variable, value } = self;
        complaint(line!(place, variable, "=\"", value, "\": ", expected))
    }

    fn interface(&self) -> Result<String, Failure> {
        match fault_of_name(self.value.as_bytes()) {
            Some(fault) => Err(self.refuse(&fault)),
            None => Ok(self.value.clone()),
        }
    }

    /// One of two words.
    fn choice(&self, [no, yes]: [&str; 2]) -> Result<bool, Failure> {
        match self.value.as_str() {
            value if value == yes => Ok(true),
            value if value == no => Ok(false),
            _ => Err(self.refuse(&[yes, " or ", no, " is expected"].concat())),
        }
    }

    fn number<T: std::str::FromStr>(&self, expected: &str, is_right: impl Fn(&T) -> bool) -> Result<T, Failure> {
        // a sign would be read, too
        let digits = Some(&self.value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).filter(is_right).ok_or_else(|| self.refuse(expected))
    }
}

/// What a network is to be.
#[derive(Debug, Default)]
pub(crate) struct NetworkSpec {
    pub(crate) name: String,
    pub(crate) bridge: String,
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) outside: Option<String>,
    pub(crate) masquerade: bool,
    /// The networks to masquerade, if not those of the addresses.
    nets: Vec<Ipv4Net>,
    pub(crate) antispoof: bool,
    pub(crate) stp: Option<bool>,
    pub(crate) forward_delay: Option<ClockTime>,
    pub(crate) ports: Vec<String>,
    pub(crate) mtu: Option<i32>,
    pub(crate) firewall: Option<String>,
}

impl NetworkSpec {
    /// # Errors
    /// Status 2 for what is wrong in the options or in the file.
    pub(crate) fn read(kernel: &Kernel, options: &Options) -> Result<Self, Failure> {
        let mut words = options.words();
        if let Some(name) = &options.name {
            if let Some(fault) = fault_of_name(name.as_bytes()) {
                return Err(complaint(line!(name, ": ", fault)));
            }
            let file = ["/etc/brouter/", name, ".conf"].concat();
            match std::fs::read(kernel.path(&file)) {
                Ok(text) => {
                    let from_file = lines(&file, &text)?;
                    let overridden = |word: &Word| words.iter().any(|option| option.variable == word.variable);
                    let from_file: Vec<Word> = from_file.into_iter().filter(|word| !overridden(word)).collect();
                    words.extend(from_file);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
                Err(error) => return Err(complaint(line!(file, ": ", io_text(&error)))),
            }
        }
        let mut network = NetworkSpec::default();
        for word in &words {
            network.take(word)?;
        }
        if network.bridge.is_empty() {
            network.bridge = options.name.clone().unwrap_or_else(|| String::from("xenbr0"));
        }
        network.name = options.name.clone().unwrap_or_else(|| network.bridge.clone());
        network.check()?;
        Ok(network)
    }

    /// What the file of a network says, whether there is one or not.
    ///
    /// # Errors
    /// As [`NetworkSpec::read`].
    pub(crate) fn of_file(kernel: &Kernel, name: &str) -> Result<Self, Failure> {
        NetworkSpec::read(kernel, &Options { name: Some(name.into()), ..Options::default() })
    }

    fn take(&mut self, word: &Word) -> Result<(), Failure> {
        const ADDRESS: &str = "an address with its prefix is expected, such as 192.168.10.1/24 or 2001:db8::1/64";
        match word.variable.as_str() {
            "bridge" => self.bridge = word.interface()?,
            "vifnum" => {
                let number: u16 = word.number("a number is expected", |_| true)?;
                if self.bridge.is_empty() {
                    self.bridge = format!("xenbr{number}");
                }
            }
            "address" => {
                let is_right = |net: &IpNet| {
                    let address = net.addr();
                    word.value.contains('/')
                        && !(address.is_unspecified() || address.is_multicast() || address.is_loopback())
                };
                let net = word.value.parse().ok().filter(is_right).ok_or_else(|| word.refuse(ADDRESS))?;
                if self.addresses.iter().any(|other| other.addr() == net.addr()) {
                    return Err(word.refuse("this address is given twice"));
                }
                self.addresses.push(net);
            }
            "brnet" => {
                let net: Ipv4Net = word
                    .value
                    .parse()
                    .ok()
                    .filter(|_| word.value.contains('/'))
                    .ok_or_else(|| word.refuse("an IPv4 network is expected, such as 192.168.10.0/24"))?;
                self.nets.push(net.trunc());
            }
            "outside" => self.outside = Some(word.interface()?),
            "masquerade" => self.masquerade = word.choice(["no", "yes"])?,
            "antispoof" => self.antispoof = word.choice(["no", "yes"])?,
            "stp" => self.stp = Some(word.choice(["off", "on"])?),
            "forward_delay" => {
                let is_right = |text: &&str| {
                    text.starts_with(|first: char| first.is_ascii_digit())
                        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                        && text.bytes().filter(|&byte| byte == b'.').count() <= 1
                };
                let time = Some(word.value.as_str()).filter(is_right).and_then(|text| number::time(text.as_bytes()));
                let time = time.filter(|time| time.0 <= 3000);
                self.forward_delay = Some(time.ok_or_else(|| word.refuse("seconds are expected, 0 to 30"))?);
            }
            "port" => {
                let port = word.interface()?;
                if self.ports.contains(&port) {
                    return Err(word.refuse("this port is given twice"));
                }
                self.ports.push(port);
            }
            "mtu" => self.mtu = Some(word.number("bytes are expected, 68 to 65535", |mtu| (68..=65535).contains(mtu))?),
            "firewall" => self.firewall = Some(word.value.clone()).filter(|command| command != "none"),
            // what is not known is refused where the file is read
            _ => (),
        }
        Ok(())
    }

    /// What does not go together.
    fn check(&self) -> Result<(), Failure> {
        let NetworkSpec { outside, ports, bridge, .. } = self;
        let refuse = |text: &str| Err(complaint(line!(self.name, ": ", text)));
        if self.antispoof && outside.is_none() {
            return refuse("antispoof needs the interface to the outside (--outside)");
        }
        if outside.as_ref().is_some_and(|outside| outside == bridge || ports.contains(outside))
            || ports.contains(bridge)
        {
            return refuse("bridge, outside and ports are to be different interfaces");
        }
        let too_short = |delay: ClockTime| delay < ClockTime(200);
        if self.stp == Some(true) && self.forward_delay.is_some_and(too_short) {
            return refuse("with spanning tree the forward delay is 2 to 30 seconds");
        }
        Ok(())
    }

    /// The networks to masquerade.
    ///
    /// # Errors
    /// Where that is asked for, and there is none.
    pub(crate) fn masqueraded(&self) -> Result<Vec<Ipv4Net>, Failure> {
        let mut nets = Vec::new();
        if self.masquerade {
            let of_addresses = self.addresses.iter().filter_map(|net| match net {
                IpNet::V4(net) => Some(net.trunc()),
                IpNet::V6(_) => None,
            });
            let wanted: Vec<Ipv4Net> = if self.nets.is_empty() { of_addresses.collect() } else { self.nets.clone() };
            for net in wanted {
                if !nets.contains(&net) {
                    nets.push(net);
                }
            }
            if nets.is_empty() {
                let text = ": masquerade: only IPv4 networks are masqueraded, and there is none";
                return Err(complaint(line!(self.name, text)));
            }
        }
        Ok(nets)
    }
}

impl Options {
    fn words(&self) -> Vec<Word> {
        let yes = |is_set: bool| is_set.then(|| String::from("yes"));
        let single = [
            ("bridge", &self.bridge),
            ("outside", &self.outside),
            ("masquerade", &yes(self.masquerade)),
            ("antispoof", &yes(self.antispoof)),
            ("stp", &self.stp),
            ("forward_delay", &self.forward_delay),
            ("mtu", &self.mtu),
            ("firewall", &self.firewall),
        ];
        let single = single.into_iter().filter_map(|(variable, value)| Some((variable, value.as_ref()?)));
        let addresses = self.address.iter().map(|value| ("address", value));
        let ports = self.port.iter().map(|value| ("port", value));
        let word = |(variable, value): (&str, &String)| Word {
            place: String::from("--"),
            variable: variable.into(),
            value: value.clone(),
        };
        single.chain(addresses).chain(ports).map(word).collect()
    }
}

/// The variables of network-virtual that are called otherwise here.
const FORMER: [(&str, &str); 2] = [("bridgeip", "address"), ("netdev", "outside")];
/// What a file can say.
const VARIABLES: [&str; 12] = [
    "bridge",
    "vifnum",
    "address",
    "brnet",
    "outside",
    "masquerade",
    "antispoof",
    "stp",
    "forward_delay",
    "port",
    "mtu",
    "firewall",
];

/// The lines of a file: `VARIABLE=VALUE`, quoted as in a shell, and comments.
///
/// # Errors
/// The first line that is none of these, with its number.
fn lines(file: &str, text: &[u8]) -> Result<Vec<Word>, Failure> {
    let mut words: Vec<Word> = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let place = format!("{file}:{}: ", number + 1);
        let refuse = |what: &str, expected: &str| Err(complaint(line!(place, what, expected)));
        let Ok(line) = str::from_utf8(line) else { return refuse("", "not UTF-8") };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((variable, value)) = line.split_once('=') else {
            return refuse(line, ": VARIABLE=VALUE is expected, or a comment behind #");
        };
        let variable = FORMER.into_iter().find(|(former, _)| *former == variable).map_or(variable, |(_, now)| now);
        if !VARIABLES.contains(&variable) {
            let known = VARIABLES.join(" ");
            return refuse(
                variable,
                &[": no such variable; expected is one of bridgeip netdev ", known.trim_end()].concat(),
            );
        }
        let value = match unquoted(value.split(" #").next().unwrap_or(value)) {
            Ok(value) if !value.is_empty() => value,
            Ok(_) => return refuse(variable, ": a value is expected"),
            Err(fault) => return refuse(line, &[": ", fault].concat()),
        };
        if !["address", "port", "brnet"].contains(&variable) && words.iter().any(|word| word.variable == variable) {
            return refuse(variable, ": given twice, but has one value");
        }
        words.push(Word { place, variable: variable.into(), value });
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let failure = lines("/etc/brouter/n.conf", text.as_bytes()).err();
        String::from_utf8(failure.map_or(Vec::new(), |failure| failure.text)).unwrap()
    }

    #[test]
    fn a_file_is_read_strictly() {
        let good = "# a network\n\nbridgeip=\"10.0.0.1/24\"\nnetdev=eth0  # the wire\n port='p1'\nport=p2\n";
        let words = lines("f", good.as_bytes()).ok().unwrap();
        let words: Vec<_> = words.iter().map(|word| [&*word.variable, &word.value]).collect();
        assert_eq!(words, [["address", "10.0.0.1/24"], ["outside", "eth0"], ["port", "p1"], ["port", "p2"]]);
        for (text, fault) in [
            ("\nbridge", ":2: bridge: VARIABLE=VALUE is expected"),
            ("strict=yes", ":1: strict: no such variable"),
            ("=x", ":1: : no such variable"),
            ("mtu=", ":1: mtu: a value is expected"),
            ("mtu=1\nmtu=2", ":2: mtu: given twice"),
            ("bridge=$(id)", ":1: bridge=$(id): needs a shell"),
        ] {
            assert!(said(text).starts_with(&format!("brouter: /etc/brouter/n.conf{fault}")), "{}", said(text));
        }
    }
}
