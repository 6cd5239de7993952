//! Files that network-virtual left under /run/brouter until version 0.1, read so that an upgrade on a running host loses nothing.
//!
//! `BRIDGE.making` is a symbolic link to the word `bridge` or `address`: what a start has begun and not ended. `BRIDGE.masquerade`
//! holds `NETWORK 0` or `NETWORK 1`: the masqueraded network, and whether the host forwarded before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::item::{Item, Value};
use super::state::NetworkState;
use crate::run_file;

const MAKING: &str = ".making";
const MASQUERADE: &str = ".masquerade";

/// Suffixes of these files.
pub(super) const SUFFIXES: [&str; 2] = [MAKING, MASQUERADE];

/// Loads what these files say of a bridge, as a state of today; nothing if there are none.
///
/// # Errors
/// Those of [`run_file::read`].
pub(super) fn load(folder: &Path, bridge: &str) -> io::Result<Option<NetworkState>> {
    let making = fs::read_link(file(folder, bridge, MAKING)).ok();
    let masquerade = match run_file::read(&masquerade_file(folder, bridge)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        text => Some(text?),
    };
    if making.is_none() && masquerade.is_none() {
        return Ok(None);
    }
    let Ok(name) = bridge.parse() else { return Ok(None) };
    let mut state = NetworkState { former: true, ..NetworkState::empty(name) };
    if let Some(what) = making {
        state.incomplete = true;
        if what != Path::new("address") {
            let value = |value: Value| Item::Value { value, to: 0, from: value.of_new_bridge() };
            state.items.extend([Item::Bridge, value(Value::ForwardDelay)]);
        }
    }
    if let Some((net, forwarded)) = masquerade.as_deref().and_then(|text| text.trim_end().split_once(' '))
        && let Ok(net) = net.parse()
    {
        state.items.push(Item::Masquerade(net));
        if forwarded == "0" {
            state.items.push(Item::Forwarding { v6: false });
        }
    }
    Ok(Some(state))
}

/// Returns the path of the file that tells the masqueraded network.
pub(super) fn masquerade_file(folder: &Path, bridge: &str) -> PathBuf {
    file(folder, bridge, MASQUERADE)
}

/// Removes these files.
pub(super) fn remove(folder: &Path, bridge: &str) -> io::Result<()> {
    for suffix in SUFFIXES {
        match fs::remove_file(file(folder, bridge, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
    }
    Ok(())
}

fn file(folder: &Path, bridge: &str, suffix: &str) -> PathBuf {
    folder.join(format!("{bridge}{suffix}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_of_version_0_1() {
        let folder = std::env::temp_dir().join(format!("brouter-former-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        symlink("bridge", folder.join("a.making")).unwrap();
        symlink("address", folder.join("b.making")).unwrap();
        fs::write(folder.join("b.masquerade"), "10.0.0.0/24 0\n").unwrap();
        fs::write(folder.join("c.masquerade"), "10.0.1.0/24 1\n").unwrap();
        let lines = |name| {
            let state = load(&folder, name).unwrap().unwrap();
            (state.incomplete, state.items.iter().map(Item::to_string).collect::<Vec<_>>())
        };
        assert_eq!(lines("a"), (true, vec!["bridge".into(), "forward-delay 0 1500".into()]));
        assert_eq!(lines("b"), (true, vec!["masquerade 10.0.0.0/24".into(), "forwarding 4".into()]));
        assert_eq!(lines("c"), (false, vec!["masquerade 10.0.1.0/24".into()]));
        assert_eq!(load(&folder, "d").unwrap(), None);
        remove(&folder, "b").unwrap();
        assert_eq!(load(&folder, "b").unwrap(), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
