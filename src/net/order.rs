//! Sorting, by a number for each thing. One sort for all: each kind of thing that is sorted by itself makes a program 4 KiB larger.

/// The bytes of an interface's name as a number: in its order, names are sorted as by `strcmp`.
pub fn name_key(name: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(name).for_each(|(byte, from)| *byte = *from);
    u128::from_be_bytes(bytes)
}

/// Where the things with these keys belong: their keys in order, and the place where each was. Of equal ones the first comes first.
pub fn places(keys: impl Iterator<Item = u128>) -> Vec<(u128, usize)> {
    let mut places: Vec<(u128, usize)> = keys.zip(0..).collect();
    places.sort_unstable();
    places
}

/// Names in the order of `strcmp`.
pub fn sorted_names<T: AsRef<std::ffi::OsStr> + Default>(mut names: Vec<T>) -> Vec<T> {
    let order = places(names.iter().map(|name| name_key(name.as_ref().as_encoded_bytes())));
    order.into_iter().map(|(_, place)| std::mem::take(&mut names[place])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_strcmp() {
        let names = ["p2", "p10", "p1", "b", "", "b1", "\u{e9}", "Zed"].map(std::ffi::OsString::from).to_vec();
        let mut wanted = names.clone();
        wanted.sort();
        assert_eq!(sorted_names(names), wanted);
    }
}
