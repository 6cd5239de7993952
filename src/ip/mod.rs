//! `ip`: iproute2 6.1's command as far as ioctls and files go, byte for byte, or that of ss060323 (see [`crate::era`]).
//!
//! A command line passes through [`option_args`], and through [`dispatch`] by the object's table of verbs to the file of a command.
//! That parses its words by a table of [`keyword`]s into a plain value (`AddressArgs`, `LinkArgs`, `RouteArgs`, filters); what
//! needs the host is looked up afterwards ([`device`], [`deferred`]). Results are written through [`fields`], as text or as JSON.

mod address;
mod color;
mod complaint;
mod deferred;
mod device;
mod dispatch;
mod fields;
mod hardware;
mod keyword;
mod link;
mod list;
mod maddr;
mod neigh;
mod number;
mod option_args;
mod options;

mod route;
pub mod script;
mod tunnel;
mod tuntap;
mod usage;
mod words;

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;

use crate::call::Call;
use crate::error::Outcome;
use color::{Palette, When};
use complaint::unknown_object;
use dispatch::{Verb, verb};
use fields::print;
use keyword::{find, of_2006, today};
use option_args::Request;
use options::Options;
use words::Words;

/// In the order in which iproute2 compares them.
const OBJECTS: &[Verb] = &[
    verb("address", address::run),
    today(verb("maddress", maddr::run)),
    verb("route", route::run),
    today(verb("neighbor", neigh::run)),
    today(verb("neighbour", neigh::run)),
    verb("link", link::run),
    today(verb("tunnel", tunnel::run)),
    of_2006(verb("tunnel", |_, _| Err(unknown_object(b"tunnel")))),
    today(verb("tuntap", tuntap::run)),
    today(verb("tap", tuntap::run)),
    verb("help", |_, _| Err(usage::ip())),
];

/// Runs `ip`.
pub fn run(call: &mut Call) -> Outcome {
    let mut words = Words::new(call.args, Options::of(call.era));
    if let Request::Version = option_args::take(&mut words)? {
        print(call.out, call.era.ip().version);
        return Ok(());
    }
    words.options.palette = palette(call, words.options);
    // under a longer name, such as `iproute`, the rest of it is the object
    let name = call.program.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let named = name.strip_prefix(b"ip").filter(|object| !object.is_empty());
    let Some(word) = named.or_else(|| words.next()) else { return Err(usage::ip()) };
    match find(OBJECTS, word, words.options) {
        Some(object) => (object.meaning)(call, words),
        None => Err(unknown_object(word)),
    }
}

/// Returns the colours of the output, if it has any.
fn palette(call: &Call, options: Options) -> Option<Palette> {
    let is_wanted = match options.color {
        When::Never => false,
        When::Auto => std::io::stdout().is_terminal(),
        When::Always => true,
    };
    (is_wanted && !options.json).then(|| Palette::of((call.environment)("COLORFGBG").as_deref()))
}
