//! Arguments with names that only the host can resolve.
//!
//! iproute2 looks names up while it parses, so of two wrong words the first counts, be its form wrong or be there no such device.
//! A parser here asks nothing of the host: it notes the names to look up, and stops at the first word whose form is wrong.

use crate::error::{Failure, Outcome};

/// Arguments of type `A` up to the first mistake, and what is left to look up for them.
#[derive(Debug)]
pub(super) struct Deferred<A, L> {
    args: A,
    lookups: Vec<L>,
    mistake: Option<Failure>,
}

impl<A: Default, L> Deferred<A, L> {
    /// Runs a parser, which fills in the arguments and the lookups until it succeeds or fails.
    pub(super) fn parse(parse: impl FnOnce(&mut A, &mut Vec<L>) -> Outcome) -> Self {
        let (mut args, mut lookups) = (A::default(), Vec::new());
        let mistake = parse(&mut args, &mut lookups).err();
        Deferred { args, lookups, mistake }
    }

    /// Returns the arguments with everything looked up, in the order of the words.
    ///
    /// # Errors
    /// The first lookup that fails, else the mistake.
    pub(super) fn resolve(self, mut look_up: impl FnMut(&mut A, L) -> Outcome) -> Result<A, Failure> {
        let Deferred { mut args, lookups, mistake } = self;
        for lookup in lookups {
            look_up(&mut args, lookup)?;
        }
        match mistake {
            Some(mistake) => Err(mistake),
            None => Ok(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_word_counts() {
        let failure = |text: &str| Failure::new(text.into());
        let parsed = |is_mistaken: bool| {
            Deferred::parse(|args: &mut Vec<&str>, lookups| {
                args.push("parsed");
                lookups.extend(["b0", "b1"]);
                if is_mistaken { Err(failure("mistake")) } else { Ok(()) }
            })
        };
        let look_up = |args: &mut Vec<&str>, name: &'static str| {
            args.push(name);
            Ok(())
        };
        let fail = |_: &mut Vec<&str>, name: &str| Err(failure(name));
        assert_eq!(parsed(false).resolve(look_up), Ok(vec!["parsed", "b0", "b1"]));
        assert_eq!(parsed(true).resolve(look_up), Err(failure("mistake")));
        assert_eq!(parsed(true).resolve(fail), Err(failure("b0")));
        assert_eq!(parsed(false).resolve(fail), Err(failure("b0")));
    }
}
