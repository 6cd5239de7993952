//! Links: the interfaces themselves, whatever addresses they carry.

mod ask;
mod file;
mod info;
mod read;
mod set;
mod traffic;
mod tun;

pub use file::LinkFile;
pub use info::{Link, Queue, flag};
pub use set::LinkSetting;
pub use traffic::{Counters, Statistics, Traffic};
pub use tun::{Tun, TunEnd, delete_tun, tun_flag};
