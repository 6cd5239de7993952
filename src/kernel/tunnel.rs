//! Tunnels over IPv4 (linux/if_tunnel.h).

use nix::errno::Errno;

use super::handle::Kernel;
use super::ioctl::{self, RouterEntry, SixRd, Tunnel, TunnelRequest, TunnelVerb};
use super::result::Result;

/// Flags of a tunnel as its parameters hold them (`GRE_*`, `VTI_ISVTI`, `SIT_ISATAP`).
pub mod tunnel_flag {
    /// Packets have a checksum.
    pub const CHECKSUM: u16 = 0x8000_u16.to_be();
    /// Packets have a key.
    pub const KEY: u16 = 0x2000_u16.to_be();
    /// Packets are numbered.
    pub const SEQUENCE: u16 = 0x1000_u16.to_be();
    /// Of a tunnel for IPsec, in the flags of packets received. Has the byte order of the machine.
    pub const VTI: u16 = 1;
    /// Of a tunnel for ISATAP, in the flags of packets received. Has the byte order of the machine.
    pub const ISATAP: u16 = 1;
}

/// The number of a request that failed, and why.
pub type RequestResult<T> = std::result::Result<T, (u32, Errno)>;

impl Kernel {
    /// Reads, adds, changes or deletes a tunnel: through the tunnel itself, or through the one that the module makes, such as
    /// `gre0`. Returns the parameters as the kernel left them.
    ///
    /// # Errors
    /// ENODEV (no such device, or no such module), ENOTTY or EOPNOTSUPP (not a tunnel), EEXIST, ENOENT, EINVAL, EPERM.
    pub fn tunnel(&self, verb: TunnelVerb, device: &[u8], mut parameters: Tunnel) -> Result<Tunnel> {
        ioctl::tunnel(self.control()?, device, TunnelRequest::Tunnel(verb, &mut parameters))?;
        Ok(parameters)
    }

    /// Returns the potential routers of an ISATAP tunnel, 15 at most.
    ///
    /// # Errors
    /// Those of [`Kernel::tunnel`].
    pub fn routers(&self, device: &[u8]) -> RequestResult<Vec<RouterEntry>> {
        let mut entries = RouterEntry::request_for_list();
        self.request(device, TunnelRequest::Routers(&mut entries))?;
        Ok(entries.into_iter().skip(1).filter(|entry| entry.address != [0; 4]).collect())
    }

    /// Adds or deletes a potential router of an ISATAP tunnel.
    ///
    /// # Errors
    /// Those of [`Kernel::tunnel`]; ENXIO (there is none).
    pub fn change_router(&self, device: &[u8], mut entry: RouterEntry, is_deleted: bool) -> RequestResult<()> {
        self.request(device, TunnelRequest::Router(is_deleted, &mut entry))
    }

    /// Returns the prefixes for IPv6 rapid deployment of a SIT tunnel.
    ///
    /// # Errors
    /// Those of [`Kernel::tunnel`]; EINVAL (it has none).
    pub fn six_rd(&self, device: &[u8]) -> RequestResult<SixRd> {
        let mut six_rd = SixRd::default();
        self.request(device, TunnelRequest::SixRd(&mut six_rd))?;
        Ok(six_rd)
    }

    /// Sets these prefixes, or resets them.
    ///
    /// # Errors
    /// Those of [`Kernel::tunnel`].
    pub fn change_six_rd(&self, device: &[u8], mut six_rd: SixRd, is_reset: bool) -> RequestResult<()> {
        self.request(device, TunnelRequest::ChangeSixRd(is_reset, &mut six_rd))
    }

    fn request(&self, device: &[u8], request: TunnelRequest) -> RequestResult<()> {
        let number = request.number();
        self.control().and_then(|control| ioctl::tunnel(control, device, request)).map_err(|errno| (number, errno))
    }
}
