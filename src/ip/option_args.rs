//! The options in front of the object, as words.

use super::color::When;
use super::complaint::swapped;
use super::keyword::{Keyword, exact, find, short, today};
use super::number::get_u32;
use super::options::Options;
use super::usage;
use super::words::Words;
use crate::era::Era;
use crate::error::{Failure, Outcome, line};
use crate::net::prefix::Family;

/// What an option does.
#[derive(Clone, Copy)]
enum Effect {
    Set(fn(&mut Options)),
    /// Chooses a family, by its name.
    Family(&'static str),
    /// Chooses the family that the operand names.
    FamilyOperand,
    Version,
    Help,
    /// Changes nothing that is printed here.
    Ignored,
    /// Changes nothing that is printed here, and has an operand.
    IgnoredOperand,
    /// Changes nothing here, and has an operand that must be a number.
    ReceiveBuffer,
    /// Is refused; what to do instead.
    Unsupported(&'static str),
}

/// In the order of ip.c.
const OPTIONS: &[Keyword<Effect>] = &[
    today(short("-loops", Effect::IgnoredOperand)),
    short("-family", Effect::FamilyOperand),
    exact("-4", Effect::Family("inet")),
    exact("-6", Effect::Family("inet6")),
    exact("-0", Effect::Family("link")),
    today(exact("-M", Effect::Family("mpls"))),
    today(exact("-B", Effect::Family("bridge"))),
    today(short("-human-readable", Effect::Ignored)),
    today(short("-iec", Effect::Ignored)),
    short("-statistics", Effect::Set(|options| options.statistics += 1)),
    short("-stats", Effect::Set(|options| options.statistics += 1)),
    today(short("-details", Effect::Set(|options| options.details = true))),
    short("-resolve", Effect::Ignored),
    short("-oneline", Effect::Set(|options| options.oneline = true)),
    short("-timestamp", Effect::Ignored),
    today(short("-tshort", Effect::Ignored)),
    short("-Version", Effect::Version),
    short("-force", Effect::Ignored),
    short("-batch", Effect::Unsupported("run ip once for each line")),
    today(short("-brief", Effect::Set(|options| options.brief = true))),
    today(short("-json", Effect::Set(|options| options.json = true))),
    today(short("-pretty", Effect::Set(|options| options.pretty = true))),
    today(short("-rcvbuf", Effect::ReceiveBuffer)),
    short("-help", Effect::Help),
    today(short("-netns", Effect::Unsupported("enter the namespace first, by nsenter(1)"))),
    today(short("-Numeric", Effect::Set(|options| options.numeric = true))),
    today(short("-all", Effect::Ignored)),
    today(exact("-echo", Effect::Set(|options| options.echo = true))),
];

/// What is asked for.
pub(super) enum Request {
    /// The object that follows.
    Object,
    /// `-Version`: the rest of the line does not matter.
    Version,
}

/// Takes the options off the front of the words.
///
/// # Errors
/// An unknown option, and one that is not supported here.
pub(super) fn take(words: &mut Words) -> Result<Request, Failure> {
    while let Some(word) = words.peek().filter(|word| word.first() == Some(&b'-')) {
        words.next();
        if word == b"--" {
            break;
        }
        // `--oneline` is `-oneline`
        let option = if word.starts_with(b"--") { &word[1..] } else { word };
        match find(OPTIONS, option, words.options).map(|keyword| keyword.meaning) {
            Some(Effect::Set(set)) => set(&mut words.options),
            Some(Effect::Family(name)) => set_family(&mut words.options, name.as_bytes())?,
            Some(Effect::FamilyOperand) => {
                let family = words.next().ok_or_else(usage::ip)?;
                set_family(&mut words.options, family)?;
            }
            Some(Effect::Version) => return Ok(Request::Version),
            Some(Effect::Help) => return Err(usage::ip()),
            Some(Effect::Ignored) => (),
            Some(Effect::IgnoredOperand) => drop(words.next().ok_or_else(usage::ip)?),
            Some(Effect::ReceiveBuffer) => {
                let size = words.next().ok_or_else(usage::ip)?;
                if get_u32(size).is_none() {
                    return Err(Failure::new(line!("Invalid rcvbuf size '", size, "'")).with_status(255));
                }
            }
            Some(Effect::Unsupported(instead)) => {
                let text = line!("ip: option \"", option, "\" is not supported: ", instead);
                return Err(Failure::new(text).with_status(255));
            }
            None => {
                if words.options.era == Era::Today
                    && let Some(when) = When::parse(option)
                {
                    words.options.color = when;
                    continue;
                }
                let text = line!("Option \"", option, "\" is unknown, try \"ip -help\".");
                return Err(Failure::new(text).with_status(255));
            }
        }
    }
    words.family = words.options.family;
    Ok(Request::Object)
}

/// Chooses a family in place of one that was chosen before.
fn set_family(options: &mut Options, word: &[u8]) -> Outcome {
    (options.family, options.link_only, options.other_family) = (Family::Any, false, None);
    match word {
        b"inet" => options.family = Family::Inet,
        b"inet6" => options.family = Family::Inet6,
        b"link" => options.link_only = true,
        b"bridge" if options.era == Era::Today => options.other_family = Some("bridge"),
        b"mpls" if options.era == Era::Today => options.other_family = Some("mpls"),
        b"help" if options.era == Era::Today => return Err(usage::ip()),
        _ => return Err(swapped(word, "invalid protocol family")),
    }
    Ok(())
}
