//! Values of /proc/sys.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::file::{is_path_safe, read_page, write_value};
use super::handle::Kernel;
use super::result::{Result, errno};

/// Returns the name of a value that /proc/sys/net has for each link, for [`Kernel::sysctl`]: `net/ipv4/conf/eth0/rp_filter`. The
/// family is `ipv4` or `ipv6`; the link may be `all` or `default`.
///
/// # Errors
/// ENOENT for a link whose name would lead elsewhere, such as `..`.
pub fn net_conf(family: &str, link: &str, value: &str) -> Result<String> {
    match is_path_safe(link.as_bytes()) {
        true => Ok(format!("net/{family}/conf/{link}/{value}")),
        false => Err(Errno::ENOENT),
    }
}

impl Kernel {
    /// Reads a value of /proc/sys, such as `net/ipv4/ip_forward`, without its line end. See [`net_conf`] for those of a link.
    ///
    /// # Errors
    /// Those of open(2) and read(2): ENOENT (the kernel has no such value), EACCES.
    pub fn sysctl(&self, name: &str) -> Result<String> {
        let text = read_page(&self.path(&["/proc/sys/", name].concat())).map_err(errno)?;
        Ok(text.trim_end().to_owned())
    }

    /// Sets a value of /proc/sys that is not `value` yet. Returns the old one if it was changed.
    ///
    /// # Errors
    /// Those of [`Kernel::sysctl`] and [`Kernel::set_sysctl`].
    pub fn change_sysctl(&self, name: &str, value: &str) -> Result<Option<String>> {
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        let file = File::from(open(&self.path(&["/proc/sys/", name].concat()), OFlag::O_RDWR, Mode::empty())?);
        let mut old = [0; 128];
        let length = file.read_at(&mut old, 0).map_err(errno)?;
        let old = String::from_utf8_lossy(old[..length].trim_ascii_end()).into_owned();
        if old == value {
            return Ok(None);
        }
        // the kernel ignores what is written behind the start
        file.write_all_at(format!("{value}\n").as_bytes(), 0).map_err(errno)?;
        Ok(Some(old))
    }

    /// Writes a value of /proc/sys. Creates no file.
    ///
    /// # Errors
    /// EROFS off `/` or where /proc/sys is read-only; ENOENT (the kernel has no such value), EACCES, EPERM, and what the kernel
    /// makes of the value.
    pub fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        if !self.is_running() {
            return Err(Errno::EROFS);
        }
        write_value(&self.path(&["/proc/sys/", name].concat()), format!("{value}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_links_that_lead_nowhere_else() {
        assert_eq!(net_conf("ipv4", "all", "rp_filter").as_deref(), Ok("net/ipv4/conf/all/rp_filter"));
        assert_eq!(net_conf("ipv4", "..", "rp_filter"), Err(Errno::ENOENT));
    }
}
