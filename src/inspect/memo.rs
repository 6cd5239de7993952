//! Facts about many objects, each read once.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// What has been read so far, by object.
pub(super) struct Memo<K, V>(RefCell<BTreeMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo(RefCell::default())
    }
}

impl<K: Ord, V: Clone> Memo<K, V> {
    /// Returns what is known of an object; reads it if it is not known yet.
    pub(super) fn get(&self, key: K, read: impl FnOnce() -> V) -> V {
        if let Some(value) = self.0.borrow().get(&key) {
            return value.clone();
        }
        let value = read();
        self.0.borrow_mut().insert(key, value.clone());
        value
    }
}
