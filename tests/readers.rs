//! Tests the readers of /sys and /proc on files of real old hosts (tests/fixtures), without ioctls.
//!
//! The expected values are those in the files, and the text that bridge-utils 1.0.6 printed on such a host.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;

use brouter::applet::{BRCTL, IP};
use brouter::call::{Applet, Call};
use brouter::era::Era;
use brouter::kernel::{BridgeSetting, Kernel, Link, PortSetting, Queue, Source, flag};
use brouter::net::rtnetlink::{RouteType, Scope};

fn host(kernel: &str) -> Kernel {
    Kernel::at(format!("{}/tests/fixtures/host-{kernel}", env!("CARGO_MANIFEST_DIR")))
}

/// Returns the standard output of an applet on a host. The applet must succeed and print nothing to standard error.
fn output(applet: &Applet, kernel: &Kernel, args: &[&str]) -> String {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let outcome = (applet.run)(&mut Call {
        applets: &[],
        program: applet.name.as_ref(),
        args: &args,
        environment: &|_| None,
        era: Era::Today,
        kernel,
        out: &mut out,
        err: &mut err,
    });
    assert_eq!((outcome, String::from_utf8(err).unwrap()), (Ok(()), String::new()));
    String::from_utf8(out).unwrap()
}

fn links(kernel: &Kernel) -> Vec<Link> {
    let names = kernel.link_names().unwrap().into_iter();
    names.map(|(index, name)| kernel.listed_link(index, &name).unwrap()).collect()
}

#[test]
fn bridges_of_2_6_18() {
    let expected = "\
bridge name\tbridge id\t\tSTP enabled\tinterfaces
abcdefghijklmno\t\t8000.000000000000\tyes\t\t
xenbr0\t\t8000.ba298ec40f0d\tno\t\tdummy0
";
    assert_eq!(output(&BRCTL, &host("2.6.18"), &["show"]), expected);
}

#[test]
fn bridges_of_2_6_32() {
    let expected = "\
bridge name\tbridge id\t\tSTP enabled\tinterfaces
abcdefghijklmno\t\t8000.000000000000\tyes\t\t
xenbr0\t\t8000.1e25e7970018\tno\t\tdummy0
";
    assert_eq!(output(&BRCTL, &host("2.6.32.69"), &["show"]), expected);
}

/// Hexadecimal port numbers, a decimal designated port, a time that reads back one hundredth higher than it was set.
#[test]
fn spanning_tree_of_2_6_18() {
    let expected = "\
xenbr0
 bridge id\t\t8000.ba298ec40f0d
 designated root\t8000.ba298ec40f0d
 root port\t\t   0\t\t\tpath cost\t\t   0
 max age\t\t  20.00\t\t\tbridge max age\t\t  20.00
 hello time\t\t   2.00\t\t\tbridge hello time\t   2.00
 forward delay\t\t   0.00\t\t\tbridge forward delay\t   0.00
 ageing time\t\t 300.01
 hello timer\t\t   0.64\t\t\ttcn timer\t\t   0.00
 topology change timer\t  16.73\t\t\tgc timer\t\t   0.05
 flags\t\t\tTOPOLOGY_CHANGE TOPOLOGY_CHANGE_DETECTED \n\n
dummy0 (1)
 port id\t\t8001\t\t\tstate\t\t     forwarding
 designated root\t8000.ba298ec40f0d\tpath cost\t\t 100
 designated bridge\t8000.ba298ec40f0d\tmessage age timer\t   0.00
 designated port\t8001\t\t\tforward delay timer\t   0.00
 designated cost\t   0\t\t\thold timer\t\t   0.55
 flags\t\t\t

";
    assert_eq!(output(&BRCTL, &host("2.6.18"), &["showstp", "xenbr0"]), expected);
}

#[test]
fn forwarding_table_of_2_6_18() {
    let expected = "port no\tmac addr\t\tis local?\tageing timer\n  1\tba:29:8e:c4:0f:0d\tyes\t\t   0.00\n";
    assert_eq!(output(&BRCTL, &host("2.6.18"), &["showmacs", "xenbr0"]), expected);
}

#[test]
fn links_of_2_6_18() {
    let links = links(&host("2.6.18"));
    let names: Vec<_> = links.iter().map(|link| (link.index, link.name.to_str().unwrap())).collect();
    assert_eq!(
        names,
        [(1, "eth0"), (2, "lo"), (3, "dummy0"), (4, "sit0"), (5, "xenbr0"), (6, "abcdefghijklmno")],
        "real folders, ordered by index"
    );
    let sit0 = &links[3];
    assert_eq!((sit0.address.as_str(), sit0.hw_type), ("00:00:00:00", 776));
    assert_eq!(sit0.flags & flag::UP, 0);
    let eth0 = &links[0];
    assert_eq!((eth0.queue, eth0.mtu, eth0.queue_length), (Queue::Default, 1500, 1000));
    assert_eq!(eth0.flags & (flag::UP | flag::RUNNING | flag::LOWER_UP), flag::UP | flag::RUNNING | flag::LOWER_UP);
    let xenbr0 = &links[4];
    assert_eq!((xenbr0.queue, xenbr0.state.as_str(), xenbr0.queue_length), (Queue::None, "unknown", 0));
    assert_eq!(links[2].master.as_deref(), Some("xenbr0".as_ref()), "from brport/bridge: there is no `master` yet");
}

#[test]
fn links_of_2_6_32() {
    let links = links(&host("2.6.32.69"));
    let names: Vec<_> = links.iter().map(|link| link.name.to_str().unwrap()).collect();
    assert_eq!(names, ["lo", "eth0", "dummy0", "xenbr0", "abcdefghijklmno"], "symbolic links into /sys/devices");
    assert_eq!(links[2].master.as_deref(), Some("xenbr0".as_ref()));
}

/// Lines padded to 128 bytes, and no fib_trie.
#[test]
fn routes() {
    for kernel in ["2.6.18", "2.6.32.69"] {
        let routes = host(kernel).routes_v4().unwrap().main;
        let shown: Vec<_> = routes
            .iter()
            .map(|route| {
                let link = route.link.as_ref().unwrap().to_str().unwrap();
                (route.destination.to_string(), route.gateway.map(|gateway| gateway.to_string()), link, route.scope)
            })
            .collect();
        let expected = [
            ("192.168.7.0/24".to_string(), None, "eth0", Scope::LINK),
            ("10.99.1.0/24".to_string(), None, "xenbr0", Scope::LINK),
            ("0.0.0.0/0".to_string(), Some("192.168.7.1".to_string()), "eth0", Scope::GLOBAL),
        ];
        assert_eq!(shown, expected, "{kernel}");
        assert!(routes.iter().all(|route| route.kind == RouteType::Unicast && route.metric == 0));
    }
}

#[test]
fn ipv6_addresses() {
    let addresses = host("2.6.18").addresses_v6().unwrap();
    let on = |link: &str| -> Vec<String> {
        let here = addresses.iter().filter(|address| address.link.as_bytes() == link.as_bytes());
        here.map(|address| address.net.to_string()).collect()
    };
    assert_eq!(on("eth0"), ["fec0::5054:ff:fe12:3456/64", "fe80::5054:ff:fe12:3456/64"], "site before link");
    assert_eq!(on("lo"), ["::1/128"]);
}

/// A name that is a path to another folder is not a device, and a host that consists of files cannot be changed.
#[test]
fn names_are_not_paths_and_fixtures_are_read_only() {
    let kernel = host("2.6.18");
    for name in ["../net/xenbr0", "", ".", "..", "xenbr0/../xenbr0"] {
        assert!(kernel.bridge_head(name.as_bytes()).is_err(), "{name}");
        assert!(kernel.link(name.as_bytes()).is_err(), "{name}");
    }
    assert!(kernel.add_bridge(b"b0").is_err());
    assert!(kernel.delete_bridge(b"xenbr0").is_err());
    let before = output(&BRCTL, &kernel, &["showstp", "xenbr0"]);
    assert!(kernel.set_bridge(b"xenbr0", BridgeSetting::FORWARD_DELAY, 4000).is_err());
    assert!(kernel.set_port(b"xenbr0", b"dummy0", PortSetting::PATH_COST, 7, Source::Sysfs).is_err());
    assert_eq!(kernel.set_sysctl("net/ipv4/ip_forward", "1"), Err(Errno::EROFS));
    assert_eq!(output(&BRCTL, &kernel, &["showstp", "xenbr0"]), before);
}

/// Flags as SIOCGIFFLAGS would return them (the raw flags of a port contain PROMISC), a hardware address of four bytes, a link
/// without queue length, and iproute2's defaults for what old kernels do not report.
#[test]
fn listing_of_2_6_18() {
    let expected = "\
1: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP mode DEFAULT group default qlen 1000
    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
2: lo: <LOOPBACK,UP,LOWER_UP> mtu 16436 qdisc noqueue state UNKNOWN mode DEFAULT group default \n    \
link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
3: dummy0: <BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue master xenbr0 state UNKNOWN mode DEFAULT group default \n    \
link/ether ba:29:8e:c4:0f:0d brd ff:ff:ff:ff:ff:ff
4: sit0: <NOARP> mtu 1480 qdisc noop state DOWN mode DEFAULT group default \n    \
link/sit 0.0.0.0 brd 0.0.0.0
5: xenbr0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UNKNOWN mode DEFAULT group default \n    \
link/ether ba:29:8e:c4:0f:0d brd ff:ff:ff:ff:ff:ff
6: abcdefghijklmno: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default \n    \
link/ether 00:00:00:00:00:00 brd ff:ff:ff:ff:ff:ff
";
    assert_eq!(output(&IP, &host("2.6.18"), &["link"]), expected);
}

/// Before Linux 4.3 a link that is up queues packets exactly if its queue has a length. 2.6.18 shows neither `tun_flags` nor
/// `device` of a tap.
#[test]
fn queues_by_their_length() {
    let root = std::env::temp_dir().join(format!("brouter-readers-queue-{}", std::process::id()));
    // a file that came with 4.3, as did devices without a queue
    let queues = [&[][..], &[("proto_down", "0")]].map(|newer| {
        for (name, length) in [("tap0", "500"), ("xenbr0", "0")] {
            let folder = root.join("sys/class/net").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let files = [("ifindex", "7"), ("flags", "0x1003"), ("type", "1"), ("tx_queue_len", length)];
            for (file, text) in files.iter().chain(newer) {
                std::fs::write(folder.join(file), format!("{text}\n")).unwrap();
            }
        }
        let links = links(&Kernel::at(&root));
        std::fs::remove_dir_all(&root).unwrap();
        links.into_iter().map(|link| link.queue).collect::<Vec<_>>()
    });
    assert_eq!(queues, [[Queue::Default, Queue::None], [Queue::None, Queue::None]]);
}

/// Linux 2.6.18 accepts ':' in the name of a bridge.
#[test]
fn name_with_a_colon() {
    let root = std::env::temp_dir().join(format!("brouter-readers-{}", std::process::id()));
    let bridge = root.join("sys/class/net/a:b/bridge");
    std::fs::create_dir_all(&bridge).unwrap();
    let files =
        [("ifindex", "7"), ("flags", "0x1003"), ("mtu", "1500"), ("type", "1"), ("address", "02:00:00:00:00:07")];
    for (file, text) in files {
        std::fs::write(bridge.join("..").join(file), format!("{text}\n")).unwrap();
    }
    for (file, text) in [("bridge_id", "8000.020000000007"), ("stp_state", "0")] {
        std::fs::write(bridge.join(file), format!("{text}\n")).unwrap();
    }
    std::fs::create_dir_all(bridge.join("../brif")).unwrap();
    let kernel = Kernel::at(&root);
    let links: Vec<_> = links(&kernel).into_iter().map(|link| (link.index, link.name, link.address)).collect();
    let shown = output(&BRCTL, &kernel, &["show"]);
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!(links, [(7, "a:b".into(), "02:00:00:00:00:07".into())]);
    assert_eq!(shown, "bridge name\tbridge id\t\tSTP enabled\tinterfaces\na:b\t\t8000.020000000007\tno\t\t\n");
}
