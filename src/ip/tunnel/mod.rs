//! `ip tunnel`: tunnels over IPv4. iproute2 itself makes, changes and reads them by ioctls.
//!
//! [`args`] has the words, [`text`] the line of a tunnel, [`sit`] what only tunnels of IPv6 over IPv4 have.

mod args;
mod sit;
mod text;

use std::os::unix::ffi::OsStrExt;

use self::args::{TunnelArgs, base, get};
use super::complaint::unreadable;
use super::dispatch::{Verb, verb};
use super::fields::{Fields, print_records};
use super::keyword::find;
use super::options::Options;
use super::usage;
use super::words::Words;
use crate::call::Call;
use crate::error::{Failure, Outcome, errno_text, line};
use crate::kernel::{Tunnel, TunnelVerb};
use crate::net::prefix::Family;

/// In the order in which iproute2 compares them.
const VERBS: &[Verb] = &[
    verb("add", |call, words| put(call, words, TunnelVerb::Add)),
    verb("change", |call, words| put(call, words, TunnelVerb::Change)),
    verb("delete", delete),
    verb("show", show),
    verb("lst", show),
    verb("list", show),
    verb("prl", sit::change_routers),
    verb("6rd", sit::change_6rd),
    verb("help", |_, _| Err(usage::tunnel())),
];

/// `mode` of tunnels over IPv6, which have other ioctls.
const MODES_V6: [&str; 11] =
    ["ipv6/ipv6", "ip6ip6", "vti6", "ip/ipv6", "ipv4/ipv6", "ipip6", "ip4ip6", "ip6gre", "gre/ipv6", "any/ipv6", "any"];

/// `ip tunnel [COMMAND ...]`
pub(super) fn run(call: &mut Call, mut words: Words) -> Outcome {
    let options = words.options;
    let mode = words.clone().skip_while(|word| *word != b"mode").nth(1);
    let is_v6_mode = mode.is_some_and(|mode| MODES_V6.iter().any(|name| name.as_bytes() == mode));
    let other_family = match options.other_family {
        Some("bridge") => Some(libc::AF_BRIDGE),
        Some(_) => Some(libc::AF_MPLS),
        None => options.link_only.then_some(libc::AF_PACKET),
    };
    match (is_v6_mode || options.family == Family::Inet6, other_family) {
        (true, _) => {
            let text = line!("ip: a tunnel over IPv6 is not supported: use ip of iproute2");
            return Err(Failure::new(text).with_status(255));
        }
        (false, Some(family)) => {
            let text = line!("Unsupported protocol family: ", family.to_string());
            return Err(Failure::new(text).with_status(255));
        }
        (false, None) => (),
    }
    let Some(word) = words.next() else { return show(call, words) };
    match find(VERBS, word, options) {
        Some(verb) => (verb.meaning)(call, words),
        None => {
            let text = line!("Command \"", word, "\" is unknown, try \"ip tunnel help\"");
            Err(Failure::new(text).with_status(255))
        }
    }
}

/// `ip tunnel { add | change } NAME [mode MODE] ...`
fn put(call: &mut Call, words: Words, verb: TunnelVerb) -> Outcome {
    let TunnelArgs { tunnel, .. } = TunnelArgs::resolved(call.kernel, words, verb)?;
    if tunnel.ttl != 0 && !tunnel.dont_fragment() {
        return Err(Failure::new(line!("ttl != 0 and nopmtudisc are incompatible")));
    }
    let Some(base) = base(&tunnel) else {
        return Err(Failure::new(line!("cannot determine tunnel mode (ipip, gre, vti or sit)")));
    };
    let name = tunnel.name().to_vec();
    let device = if verb == TunnelVerb::Change && !name.is_empty() { &name } else { base.as_bytes() };
    let failed = |errno| Failure::new(line!("add tunnel \"", device, "\" failed: ", errno_text(errno)));
    call.kernel.tunnel(verb, device, tunnel).map(drop).map_err(failed)
}

/// `ip tunnel delete NAME`
fn delete(call: &mut Call, words: Words) -> Outcome {
    let TunnelArgs { tunnel, .. } = TunnelArgs::resolved(call.kernel, words, TunnelVerb::Delete)?;
    let name = tunnel.name().to_vec();
    let device = if name.is_empty() { base(&tunnel).unwrap_or_default().as_bytes() } else { &name };
    let failed = |errno| Failure::new(line!("delete tunnel \"", device, "\" failed: ", errno_text(errno)));
    call.kernel.tunnel(TunnelVerb::Delete, device, tunnel).map(drop).map_err(failed)
}

/// `ip tunnel show [NAME] [mode MODE] [remote ADDRESS] [local ADDRESS] ...`. One whose kind is known is asked for; else all are
/// listed that fit.
fn show(call: &mut Call, words: Words) -> Outcome {
    let (kernel, options) = (call.kernel, words.options);
    let TunnelArgs { tunnel: wanted, .. } = TunnelArgs::resolved(kernel, words, TunnelVerb::Get)?;
    if let Some(base) = base(&wanted) {
        let device = if wanted.name().is_empty() { base.as_bytes().to_vec() } else { wanted.name().to_vec() };
        let tunnel = get(kernel, &device, wanted)?;
        // iproute2 has no JSON for a single one
        let options = Options { json: false, ..options };
        let mut fields = Fields::of(options);
        text::put_tunnel(call, &mut fields, &tunnel, options);
        fields.text("\n");
        print_records(call.out, [fields], options);
        return Ok(());
    }
    let mut fields = Fields::of(options);
    for (index, name) in kernel.link_names().map_err(unreadable)? {
        let is_tunnel = |hw_type| matches!(hw_type, libc::ARPHRD_TUNNEL | libc::ARPHRD_IPGRE | libc::ARPHRD_SIT);
        if !wanted.name().is_empty() && wanted.name() != name.as_bytes()
            || !kernel.listed_link(index, &name).is_ok_and(|link| is_tunnel(link.hw_type))
        {
            continue;
        }
        let tunnel = match get(kernel, name.as_bytes(), Tunnel::default()) {
            Ok(tunnel) => tunnel,
            Err(failure) => {
                let _ = call.err.write_all(&failure.text);
                continue;
            }
        };
        if !fits(&wanted, &tunnel) {
            continue;
        }
        text::put_tunnel(call, &mut fields, &tunnel, options);
        if options.statistics > 0
            && let Ok(statistics) = kernel.link_statistics(&name)
        {
            text::put_statistics(&mut fields, &statistics, options);
        }
        fields.end_line();
    }
    print_records(call.out, [fields], options);
    Ok(())
}

/// Whether a tunnel has all values that are asked for.
fn fits(wanted: &Tunnel, tunnel: &Tunnel) -> bool {
    let agrees = |wanted: [u8; 4], own: [u8; 4]| wanted == [0; 4] || wanted == own;
    (wanted.link == 0 || wanted.link == tunnel.link)
        && agrees(wanted.remote, tunnel.remote)
        && agrees(wanted.local, tunnel.local)
        && agrees(wanted.input_key, tunnel.input_key)
}
