//! Interface names.

/// Bytes of an interface name with its NUL (linux/if.h).
const IFNAMSIZ: usize = 16;

fn is_path_safe(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'/') && name != b"." && name != b".."
}

/// What keeps a name from meaning the same to the kernel, to a path and to a label; nothing if it is a good one.
pub(crate) fn fault_of_name(name: &[u8]) -> Option<&'static str> {
    match name {
        long if long.len() >= IFNAMSIZ => Some("a name has at most 15 bytes"),
        name if !is_path_safe(name) || name.iter().any(|byte| byte.is_ascii_whitespace() || b":%".contains(byte)) => {
            Some("not a name for an interface (no '/', ':', '%' or blank, not '.' or '..')")
        }
        _ => None,
    }
}
