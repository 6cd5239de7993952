//! What the network consists of, in the order in which it is made: at each moment the host has its addresses and its routes.

use super::settings::{Netloop, Settings};
use crate::kernel::Kernel;
use crate::net::{InterfaceName, Mac};
use crate::network::ip_config::IpConfig;
use crate::network::item::{Item, Renaming, Value};
use nix::errno::Errno;

/// Returns the items of a network that is not there yet.
///
/// # Errors
/// The card is gone.
pub(super) fn wanted(kernel: &Kernel, settings: &Settings, config: IpConfig) -> Result<Vec<Item>, Errno> {
    let Settings { netdev, bridge, pdev, netloop, .. } = settings;
    let mac = kernel.mac(netdev.as_bytes())?;
    match netloop {
        None => {
            let mut items = vec![renaming(kernel, netdev, pdev, None)?, Item::Bridge];
            items.extend(values(Some(mac)));
            // a bridge that is switched on with a port carries packets at once
            items.extend([Item::Port(pdev.clone()), Item::Up(bridge.clone()), moved(pdev, bridge, config)]);
            Ok(items)
        }
        Some(Netloop { host, port }) => {
            let before = kernel.mac(host.as_bytes())?;
            let mut items = vec![Item::Bridge];
            items.extend(values(None));
            items.extend([
                // none of them answers for the host
                Item::Silent(bridge.clone()),
                Item::Silent(port.clone()),
                Item::Up(port.clone()),
                Item::Port(port.clone()),
                Item::Up(bridge.clone()),
                renaming(kernel, netdev, pdev, None)?,
                renaming(kernel, host, netdev, Some([before, mac]))?,
                Item::Up(netdev.clone()),
                Item::Port(pdev.clone()),
                moved(pdev, netdev, config),
                // while it has addresses, neighbours learn its hardware address
                Item::Renamed(Box::new(Renaming {
                    index: kernel.link_index(netdev.as_bytes())?,
                    from: pdev.clone(),
                    to: pdev.clone(),
                    macs: Some([mac, Mac::OF_XEN]),
                })),
                Item::Silent(pdev.clone()),
            ]);
            Ok(items)
        }
    }
}

fn renaming(kernel: &Kernel, from: &InterfaceName, to: &InterfaceName, macs: Option<[Mac; 2]>) -> Result<Item, Errno> {
    let index = kernel.link_index(from.as_bytes())?;
    Ok(Item::Renamed(Box::new(Renaming { index, from: from.clone(), to: to.clone(), macs })))
}

fn moved(from: &InterfaceName, to: &InterfaceName, config: IpConfig) -> Item {
    Item::Moved { from: from.clone(), to: to.clone(), config: Box::new(config) }
}

/// The values of the bridge. They go with it, and are not set back.
fn values(mac: Option<Mac>) -> Vec<Item> {
    let value = |value, to| Item::Value { value, to, from: to };
    let mac = mac.map(|mac| value(Value::Mac, mac.number()));
    [value(Value::ForwardDelay, 0)].into_iter().chain(mac).collect()
}

/// Returns the items of a network that is up without a record: a bridge with the card as its port.
pub(super) fn found(kernel: &Kernel, settings: &Settings) -> Result<Vec<Item>, Errno> {
    let Settings { netdev, bridge, pdev, .. } = settings;
    let index = kernel.link_index(pdev.as_bytes())?;
    let renaming = Renaming { index, from: netdev.clone(), to: pdev.clone(), macs: None };
    let renamed = Item::Renamed(Box::new(renaming));
    let moved = moved(pdev, bridge, IpConfig::default());
    Ok(vec![renamed, Item::Bridge, Item::Up(bridge.clone()), Item::Port(pdev.clone()), moved])
}
