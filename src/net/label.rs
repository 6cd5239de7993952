//! Labels of IPv4 addresses: an ioctl reaches the first address of each.

/// Returns the labels that addresses of a device get: its own name, then `DEVICE:0`, `DEVICE:1` and so on, as far as a name has
/// room for them.
pub fn labels(device: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let aliases = (0..1000).map(move |number: u16| [device, b":", number.to_string().as_bytes()].concat());
    std::iter::once(device.to_vec()).chain(aliases.take_while(|label| label.len() < libc::IFNAMSIZ))
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn as_far_as_a_name_has_room() {
        assert_eq!(labels(b"eth0").take(3).collect::<Vec<_>>(), [&b"eth0"[..], b"eth0:0", b"eth0:1"]);
        assert_eq!(labels(b"abcdefghijklm").count(), 11, "one digit fits behind thirteen letters");
        assert_eq!(labels(b"abcdefghijklmno").collect::<Vec<_>>(), [b"abcdefghijklmno"]);
    }
}
