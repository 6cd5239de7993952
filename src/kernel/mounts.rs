//! The root file system.

use super::file::read_all;
use super::handle::Kernel;
use super::procfs::{lines, words};

/// File systems that another host serves.
const REMOTE: [&str; 9] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "fuse.glusterfs", "afs", "ncpfs"];

impl Kernel {
    /// Whether the root file system is reached over a network: by the type or the device that /proc/mounts shows, or by the option
    /// `_netdev` of /etc/fstab, as for iSCSI. Files that cannot be read are taken for empty.
    pub fn has_remote_root(&self) -> bool {
        let read = |file| read_all(&self.path(file)).unwrap_or_default();
        let roots = |text: &[u8]| -> Vec<[String; 3]> {
            let fields = lines(text).map(|line| {
                let mut words = words(line);
                let mut next = || words.next().unwrap_or_default().to_owned();
                [next(), next(), next(), next()]
            });
            let is_root = |[device, point, ..]: &[String; 4]| point == "/" && !device.starts_with('#');
            fields.filter(is_root).map(|[device, _, kind, options]| [device, kind, options]).collect()
        };
        // what is mounted last covers the others
        let is_remote =
            |[device, kind, _]: &[String; 3]| REMOTE.contains(&kind.as_str()) || device.starts_with("/dev/nbd");
        let needs_net = |[.., options]: &[String; 3]| options.split(',').any(|option| option == "_netdev");
        roots(&read("/proc/mounts")).last().is_some_and(is_remote) || roots(&read("/etc/fstab")).iter().any(needs_net)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn roots_over_a_network() {
        let folder = std::env::temp_dir().join(format!("brouter-mounts-{}", std::process::id()));
        for name in ["proc", "etc"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let local = "rootfs / rootfs rw 0 0\n/dev/sda1 / ext4 rw 0 0\n10.0.0.1:/home /home nfs4 rw 0 0\n";
        let rows = [
            (local, "", false),
            ("", "", false),
            ("rootfs / rootfs rw 0 0\n10.0.0.1:/srv/root / nfs rw,vers=3,addr=10.0.0.1 0 0\n", "", true),
            ("10.0.0.1:/srv/root / nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n", "", false),
            ("//server/root / cifs rw 0 0\n", "", true),
            ("/dev/nbd0 / ext4 rw 0 0\n", "", true),
            (local, "/dev/sda1 / ext4 defaults,_netdev 0 1\n", true),
            (
                local,
                "#/dev/sda1 / ext4 _netdev 0 1\n/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /srv ext4 _netdev 0 0\n",
                false,
            ),
        ];
        for (mounts, fstab, expected) in rows {
            fs::write(folder.join("proc/mounts"), mounts).unwrap();
            fs::write(folder.join("etc/fstab"), fstab).unwrap();
            assert_eq!(Kernel::at(&folder).has_remote_root(), expected, "{mounts}{fstab}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
