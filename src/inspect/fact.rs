//! Facts that are read once: when they are first asked for, and kept with the error if they cannot be read.

use std::cell::{OnceCell, RefCell};

/// A fact.
pub(super) struct Fact<T, E>(OnceCell<Result<T, E>>);

impl<T, E> Default for Fact<T, E> {
    fn default() -> Self {
        Fact(OnceCell::new())
    }
}

impl<T, E: Copy> Fact<T, E> {
    /// Returns the fact; reads it if that was not done yet.
    pub(super) fn get(&self, read: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        self.0.get_or_init(read).as_ref().map_err(|error| *error)
    }

    /// Returns the fact if it has been read.
    pub(super) fn known(&self) -> Option<&T> {
        self.0.get()?.as_ref().ok()
    }
}

/// A fact about each of several objects.
pub(super) struct Facts<K, V>(RefCell<Vec<(K, V)>>);

impl<K, V> Default for Facts<K, V> {
    fn default() -> Self {
        Facts(RefCell::default())
    }
}

impl<K: PartialEq, V: Clone> Facts<K, V> {
    /// Returns the fact about an object; reads it if that was not done yet.
    pub(super) fn get(&self, object: K, read: impl FnOnce() -> V) -> V {
        if let Some((_, value)) = self.0.borrow().iter().find(|(known, _)| *known == object) {
            return value.clone();
        }
        let value = read();
        self.0.borrow_mut().push((object, value.clone()));
        value
    }
}
