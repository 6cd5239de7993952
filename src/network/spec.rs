//! Specs: the desired state of a network.

use ipnet::{IpNet, Ipv4Net};

use super::misplaced::Misplaced;
use super::publication::{BadPublication, Publication};
use super::setting::{self, Place, Setting, SpecError};
use crate::firewall::choice::{Kind, UnknownKind};
use crate::kernel::Kernel;
use crate::net::{ClockTime, InterfaceName, Mac, number};

/// The desired state of a network.
#[derive(Clone, Debug)]
pub struct NetworkSpec {
    /// The network's name: that of its file and of its state.
    pub name: String,
    /// The bridge.
    pub bridge: InterfaceName,
    /// Hardware address of the bridge; `None`: one that stays, for a bridge that brouter creates, unchanged for any other.
    pub mac: Option<Mac>,
    /// Addresses of the bridge, each with its prefix.
    pub addresses: Vec<IpNet>,
    /// The interface to the outside.
    pub outside: Option<InterfaceName>,
    /// The networks to masquerade, without host bits.
    pub masquerade: Vec<Ipv4Net>,
    /// Whether only packets from outside are forwarded, and those that vif-bridge accepts.
    pub antispoof: bool,
    /// Spanning tree protocol; `None`: off for a bridge that brouter creates, unchanged for any other.
    pub stp: Option<bool>,
    /// Forward delay; `None`: 0 for a bridge that brouter creates without spanning tree, unchanged for any other.
    pub forward_delay: Option<ClockTime>,
    /// Interfaces to attach to the bridge.
    pub ports: Vec<InterfaceName>,
    /// Ports that lead to other hosts. Another program makes them, before this call or after it.
    pub tunnels: Vec<InterfaceName>,
    /// MTU of the bridge in bytes; `None` leaves it.
    pub mtu: Option<i32>,
    /// Firewall command to run afterwards, with its arguments.
    pub firewall: Option<String>,
    /// Guests' ports that the host answers for.
    pub publish: Vec<Publication>,
    /// What holds the firewall's rules; `None`: what fits the host.
    pub backend: Option<Kind>,
    /// Whether guests reach the host and the outside, but not each other.
    pub isolate: bool,
    /// Whether a network is made that overlaps another one, or has no room for guests.
    pub force: bool,
    /// Treatment of items that exist and are not named here.
    pub mode: Mode,
}

/// Treatment of items that an earlier call has made and the spec no longer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Removes them and sets values that differ: the network becomes exactly what the spec says.
    Exact,
    /// Keeps them, and the values of a complete bridge; only adds what is missing, as network-virtual does.
    Additive,
}

impl NetworkSpec {
    /// Returns the spec of a network with a bridge and nothing else.
    pub fn of_bridge(name: &str, bridge: InterfaceName) -> Self {
        NetworkSpec {
            name: name.into(),
            bridge,
            mac: None,
            addresses: Vec::new(),
            outside: None,
            masquerade: Vec::new(),
            antispoof: false,
            stp: None,
            forward_delay: None,
            ports: Vec::new(),
            tunnels: Vec::new(),
            mtu: None,
            firewall: None,
            publish: Vec::new(),
            backend: None,
            isolate: false,
            force: false,
            mode: Mode::Exact,
        }
    }

    /// Reads the spec of a network: the options, and of its file, if it has a name and there is one, the variables that no option
    /// sets.
    ///
    /// # Errors
    /// What is wrong in the options or in the file.
    pub fn read(kernel: &Kernel, name: Option<&str>, options: Vec<Setting>) -> Result<Self, SpecError> {
        let mut settings = options;
        if let Some(name) = name {
            name.parse::<InterfaceName>().map_err(|fault| SpecError::Name(name.into(), fault))?;
            let from_file = setting::read_file(kernel, name)?.unwrap_or_default();
            let is_overridden = |setting: &Setting| settings.iter().any(|option| option.variable == setting.variable);
            let from_file: Vec<Setting> = from_file.into_iter().filter(|setting| !is_overridden(setting)).collect();
            settings.extend(from_file);
        }
        NetworkSpec::of_settings(name, &settings)
    }

    /// Reads the spec that the file of a network gives, whether there is one or not.
    ///
    /// # Errors
    /// Those of [`NetworkSpec::read`].
    pub fn of_file(kernel: &Kernel, name: &str) -> Result<Self, SpecError> {
        NetworkSpec::read(kernel, Some(name), Vec::new())
    }

    fn of_settings(name: Option<&str>, settings: &[Setting]) -> Result<Self, SpecError> {
        let bridge = bridge(name, settings)?;
        let mut spec = NetworkSpec::of_bridge(name.unwrap_or(bridge.as_str()), bridge.clone());
        let mut masquerade = Masquerade::default();
        spec.force = settings.iter().any(|setting| setting.variable == "force" && setting.value == "yes");
        settings.iter().try_for_each(|setting| spec.take(setting, &mut masquerade))?;
        let publish = settings.iter().filter(|setting| setting.variable == "publish");
        publish.into_iter().try_for_each(|setting| spec.add_publication(setting))?;
        spec.masquerade = masquerade.nets(&spec.addresses);
        let masquerades_nothing = masquerade.is_wanted && spec.masquerade.is_empty() && !spec.addresses.is_empty();
        let nothing = "masquerade: only IPv4 networks are masqueraded, and there is none";
        match spec.contradiction().or(masquerades_nothing.then_some(nothing)) {
            Some(text) => Err(SpecError::Together(spec.name, text)),
            None => Ok(spec),
        }
    }

    /// Returns what contradicts itself.
    fn contradiction(&self) -> Option<&'static str> {
        let NetworkSpec { outside, ports, tunnels, bridge, .. } = self;
        if self.antispoof && outside.is_none() {
            return Some("antispoof needs the interface to the outside (--outside)");
        }
        if outside
            .as_ref()
            .is_some_and(|outside| outside == bridge || ports.contains(outside) || tunnels.contains(outside))
            || ports.contains(bridge)
            || tunnels.iter().any(|tunnel| tunnel == bridge || ports.contains(tunnel))
        {
            return Some("bridge, outside, ports and tunnels must be different interfaces");
        }
        let is_too_short = |delay: ClockTime| delay < ClockTime(200);
        let is_wrong = self.stp == Some(true) && self.forward_delay.is_some_and(is_too_short);
        is_wrong.then_some("with spanning tree the forward delay is 2 to 30 seconds")
    }

    fn take(&mut self, setting: &Setting, masquerade: &mut Masquerade) -> Result<(), SpecError> {
        match setting.variable.as_str() {
            "address" => self.add_address(setting)?,
            "brnet" => {
                let net = setting.value.parse().ok().filter(|_| setting.value.contains('/'));
                let expected = "an IPv4 network is expected, such as 192.168.10.0/24";
                masquerade.named.push(net.map(|net: Ipv4Net| net.trunc()).ok_or_else(|| setting.refuse(expected))?);
            }
            "mac" => {
                let mac = setting.value.parse().ok().filter(|mac: &Mac| mac.is_of_one() && *mac != Mac::OF_XEN);
                let expected = "the hardware address of one interface is expected, such as 02:00:5e:00:00:01";
                self.mac = Some(mac.ok_or_else(|| setting.refuse(expected))?);
            }
            "outside" => self.outside = Some(setting.interface()?),
            "masquerade" => masquerade.is_wanted = setting.choice(["no", "yes"])?,
            "antispoof" => self.antispoof = setting.choice(["no", "yes"])?,
            "force" => _ = setting.choice(["no", "yes"])?,
            "isolate" => self.isolate = setting.choice(["no", "yes"])?,
            "stp" => self.stp = Some(setting.choice(["off", "on"])?),
            "forward_delay" => self.forward_delay = Some(forward_delay(setting)?),
            variable @ ("port" | "tunnel") => {
                let ports = if variable == "port" { &mut self.ports } else { &mut self.tunnels };
                let port = setting.interface()?;
                if ports.contains(&port) {
                    return Err(setting.refuse(format_args!("this {variable} is given twice")));
                }
                ports.push(port);
            }
            "mtu" => {
                let is_right = |mtu: &i32| (68..=65535).contains(mtu);
                self.mtu = Some(setting.number("bytes are expected, 68 to 65535", is_right)?);
            }
            "firewall_backend" => {
                let parsed = setting.value.parse();
                self.backend = Some(parsed.map_err(|fault: UnknownKind| setting.refuse(fault))?);
            }
            "firewall" => self.firewall = Some(setting.value.clone()).filter(|command| command != "none"),
            // the bridge has been read, publications follow; an unknown variable is refused where the file is read
            _ => (),
        }
        Ok(())
    }

    /// Adds a publication, once the addresses are known.
    fn add_publication(&mut self, setting: &Setting) -> Result<(), SpecError> {
        let publication: Publication = setting.value.parse().map_err(|fault: BadPublication| setting.refuse(fault))?;
        let guest = publication.guest;
        // the lack of an address is reported later
        if self.addresses.is_empty() {
            return Ok(());
        }
        let Some(net) = self.addresses.iter().find(|net| net.contains(&guest)) else {
            let nets: Vec<String> = self.addresses.iter().map(|net| net.trunc().to_string()).collect();
            return Err(setting.refuse(format_args!("{guest} is in no network of the bridge ({})", nets.join(" "))));
        };
        let is_short = net.prefix_len() + 1 < net.max_prefix_len();
        let is_broadcast = guest.is_ipv4() && is_short && guest == net.broadcast();
        if is_broadcast || is_short && guest == net.network() {
            return Err(setting
                .refuse(format_args!("{guest} is not the address of a guest: {} as a whole has it", net.trunc())));
        }
        if self.addresses.iter().any(|net| net.addr() == guest) {
            return Err(setting.refuse(format_args!("{guest} is the bridge's own address: give a guest's")));
        }
        if let Some(address) = publication.address
            && self.addresses.iter().any(|net| net.addr() == address)
        {
            let text = format_args!("{address} is the address by which guests reach the host, and is not published");
            return Err(setting.refuse(text));
        }
        if let Some(other) = self.publish.iter().find(|other| other.conflicts(&publication)) {
            return Err(setting.refuse(format_args!("a port is published twice: {other}")));
        }
        self.publish.push(publication);
        Ok(())
    }

    fn add_address(&mut self, setting: &Setting) -> Result<(), SpecError> {
        let is_right = |net: &IpNet| {
            let address = net.addr();
            setting.value.contains('/')
                && !(address.is_unspecified() || address.is_multicast() || address.is_loopback())
        };
        let expected = "an address with its prefix is expected, such as 192.168.10.1/24 or 2001:db8::1/64";
        let net: IpNet = setting.value.parse().ok().filter(is_right).ok_or_else(|| setting.refuse(expected))?;
        if let Some(misplaced) = Misplaced::of(net).filter(|misplaced| !self.force || !misplaced.can_be_forced()) {
            return Err(setting.refuse(misplaced));
        }
        if self.addresses.iter().any(|other| other.addr() == net.addr()) {
            return Err(setting.refuse("this address is given twice"));
        }
        self.addresses.push(net);
        Ok(())
    }
}

/// Reads the bridge: the one that is named, else the one with a number, else the one with the network's name.
fn bridge(name: Option<&str>, settings: &[Setting]) -> Result<InterfaceName, SpecError> {
    let find = |variable: &str| settings.iter().find(|setting| setting.variable == variable);
    if let Some(setting) = find("bridge") {
        return setting.interface();
    }
    let text = match find("vifnum") {
        Some(setting) => format!("xenbr{}", setting.number::<u16>("a number is expected", |_| true)?),
        None => name.unwrap_or("xenbr0").into(),
    };
    text.parse().map_err(|fault| SpecError::Name(text, fault))
}

/// What the settings say about masquerading.
#[derive(Default)]
struct Masquerade {
    is_wanted: bool,
    named: Vec<Ipv4Net>,
}

impl Masquerade {
    /// The networks that are named, else those of the IPv4 addresses; each once.
    fn nets(&self, addresses: &[IpNet]) -> Vec<Ipv4Net> {
        let of_addresses = addresses.iter().filter_map(|net| match net {
            IpNet::V4(net) => Some(net.trunc()),
            IpNet::V6(_) => None,
        });
        let wanted: Vec<Ipv4Net> = if self.named.is_empty() { of_addresses.collect() } else { self.named.clone() };
        let mut nets = Vec::new();
        for net in wanted {
            if self.is_wanted && !nets.contains(&net) {
                nets.push(net);
            }
        }
        nets
    }
}

/// Seconds in decimals, without a sign or an exponent.
fn forward_delay(setting: &Setting) -> Result<ClockTime, SpecError> {
    let is_right = |text: &&str| {
        text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.bytes().filter(|&byte| byte == b'.').count() <= 1
    };
    let time = Some(setting.value.as_str()).filter(is_right).and_then(|text| number::time(text.as_bytes()));
    time.filter(|time| time.0 <= 3000).ok_or_else(|| setting.refuse("seconds are expected, 0 to 30"))
}

/// A setting of the command line.
pub fn option(variable: &str, value: &str) -> Setting {
    Setting { place: Place::Option, variable: variable.into(), value: value.into() }
}
