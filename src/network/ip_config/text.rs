//! The text of addresses and routes in a stored state: a word for each, `address=10.0.0.1/24,broadcast=10.0.0.255`.

use std::fmt;
use std::str::FromStr;

use super::{IpConfig, OwnAddress, OwnRoute};
use crate::net::InterfaceName;

/// A blank before each word.
impl fmt::Display for IpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for address in &self.addresses {
            let OwnAddress { net, peer, broadcast, alias } = address;
            write!(f, " address={net}")?;
            value(f, "peer", *peer)?;
            value(f, "broadcast", *broadcast)?;
            value(f, "alias", Some(alias).filter(|alias| !alias.is_empty()))?;
        }
        let number = |number: u32| Some(number).filter(|&number| number != 0);
        for route in &self.routes {
            write!(f, " route={}", route.destination)?;
            value(f, "via", route.gateway)?;
            value(f, "metric", number(route.metric))?;
            value(f, "src", route.source)?;
            value(f, "advmss", number(route.advmss))?;
            value(f, "window", number(route.window))?;
            value(f, "rtt", number(route.rtt))?;
            value(f, "advertised", route.is_advertised.then_some(1))?;
        }
        Ok(())
    }
}

fn value(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, ",{name}={value}"))
}

impl IpConfig {
    /// Parses the words, which its Display writes.
    pub(in crate::network) fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut config = IpConfig::default();
        for word in words {
            let pairs: Vec<(&str, &str)> = word.split(',').map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
            let values = Values(&pairs);
            match pairs.first()?.0 {
                "address" => config.addresses.push(OwnAddress {
                    net: values.get("address")??,
                    peer: values.get("peer")?,
                    broadcast: values.get("broadcast")?,
                    alias: values.get("alias")?.filter(|alias: &String| is_alias(alias)).unwrap_or_default(),
                }),
                "route" => config.routes.push(OwnRoute {
                    destination: values.get("route")??,
                    gateway: values.get("via")?,
                    metric: values.get("metric")?.unwrap_or(0),
                    source: values.get("src")?,
                    advmss: values.get("advmss")?.unwrap_or(0),
                    window: values.get("window")?.unwrap_or(0),
                    rtt: values.get("rtt")?.unwrap_or(0),
                    is_advertised: values.get::<u8>("advertised")?.is_some(),
                }),
                _ => return None,
            }
        }
        Some(config)
    }
}

impl IpConfig {
    /// Returns the commands that move all of it from one link to another.
    pub(in crate::network) fn commands(&self, from: &InterfaceName, to: &InterfaceName) -> Vec<String> {
        let added = |address: &OwnAddress| {
            let OwnAddress { net, peer, broadcast, alias } = address;
            let local = peer.map_or(net.to_string(), |peer| format!("{} peer {peer}/{}", net.addr(), net.prefix_len()));
            let broadcast = broadcast.map(|broadcast| format!(" broadcast {broadcast}")).unwrap_or_default();
            let label = if alias.is_empty() { String::new() } else { format!(" label {to}{alias}") };
            format!("ip addr add {local}{broadcast} dev {to}{label}")
        };
        let replaced = |route: &OwnRoute| {
            let mut line = format!("ip route replace {}", route.destination);
            let number = |number: u32| Some(number.to_string()).filter(|_| number != 0);
            for (word, value) in [
                ("via", route.gateway.map(|gateway| gateway.to_string())),
                ("dev", Some(to.to_string())),
                ("metric", number(route.metric)),
                ("src", route.source.map(|source| source.to_string())),
                ("advmss", number(route.advmss)),
                ("window", number(route.window)),
                ("rtt", number(route.rtt).map(|rtt| rtt + "ms")),
            ] {
                line.extend(value.map(|value| format!(" {word} {value}")));
            }
            line
        };
        let deleted = |address: &OwnAddress| format!("ip addr del {} dev {from}", address.net);
        let up = std::iter::once(format!("ip link set dev {to} up"));
        let commands = self.addresses.iter().map(added).chain(up).chain(self.routes.iter().map(replaced));
        commands.chain(self.addresses.iter().map(deleted)).collect()
    }
}

/// The values of a word, by name.
struct Values<'a>(&'a [(&'a str, &'a str)]);

impl Values<'_> {
    /// Parses the value of a name, if it is there; nothing at all if it is malformed.
    fn get<T: FromStr>(&self, name: &str) -> Option<Option<T>> {
        match self.0.iter().find(|(other, _)| *other == name) {
            Some((_, text)) => text.parse().ok().map(Some),
            None => Some(None),
        }
    }
}

/// Whether this can stand behind a link's name in a label, and in a word.
pub(super) fn is_alias(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_routes_are_read_as_they_were_written() {
        let text = " address=10.0.0.1/24,broadcast=10.0.0.255 address=10.0.0.2/32,peer=10.0.0.9,alias=:web address=fd00::1/64 \
                    route=0.0.0.0/0,via=10.0.0.254,metric=100,src=10.0.0.2,advmss=1400,window=9,rtt=7 \
                    route=::/0,via=fe80::1,metric=1024,advertised=1";
        let config = IpConfig::parse(text.split_ascii_whitespace()).unwrap();
        assert_eq!(config.to_string(), text);
        assert_eq!((config.addresses.len(), config.routes.len()), (3, 2));
        for bad in
            ["address=10.0.0.1", "address=10.0.0.1/24,broadcast=x", "route=10.0.0.0/24,metric=-1", "rule=1", "route"]
        {
            assert_eq!(IpConfig::parse([bad].into_iter()), None, "{bad}");
        }
    }
}
