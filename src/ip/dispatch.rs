//! Dispatch: from the word that names an object or one of its commands to what runs it.

use super::complaint::unknown_command;
use super::keyword::{Keyword, find, short};
use super::words::Words;
use crate::call::Call;
use crate::error::Outcome;

/// Runs an object, or one of its commands, on the words that follow its name.
pub(super) type Run = fn(&mut Call, Words) -> Outcome;

/// An object or a command. Each may be cut short.
pub(super) type Verb = Keyword<Run>;

/// Makes a verb of a name and what runs it.
pub(super) const fn verb(name: &'static str, run: Run) -> Verb {
    short(name, run)
}

/// Runs the command of an object that the next word names, or the one that stands for no word at all.
///
/// # Errors
/// `Command "…" is unknown, try "ip … help".`, and those of the command.
pub(super) fn dispatch(call: &mut Call, mut words: Words, object: &str, verbs: &[Verb], without_word: Run) -> Outcome {
    let Some(word) = words.next() else { return without_word(call, words) };
    match find(verbs, word, words.options) {
        Some(verb) => (verb.meaning)(call, words),
        None => Err(unknown_command(word, object)),
    }
}
