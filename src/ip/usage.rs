//! How the commands are used, as far as they exist here. On standard error and with status 255, as iproute2 prints it.

use crate::error::Failure;

/// `ip help`
pub(super) fn ip() -> Failure {
    let former = b"\
Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { link | addr | route }
       OPTIONS := { -V[ersion] | -s[tatistics] |
                    -f[amily] { inet | inet6 | link } | -o[neline] }
";
    let today = b"\
Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | maddress | neighbour | route | tunnel |
                   tuntap }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -j[son] | -p[retty] |
                    -f[amily] { inet | inet6 | link } | -4 | -6 | -0 |
                    -br[ief] | -o[neline] | -N[umeric] | -c[olor] }
";
    Failure::new(today.to_vec()).with_status(255).formerly(former.to_vec(), 255)
}

/// `ip route help`
pub(super) fn route() -> Failure {
    let text = b"\
Usage: ip route { list | flush } SELECTOR
       ip route get [ to ] ADDRESS [ from ADDRESS ] [ oif STRING ] [ fibmatch ]
       ip route { add | del | change | append | prepend | replace } ROUTE
SELECTOR := [ root PREFIX ] [ match PREFIX ] [ exact PREFIX ] [ table TABLE_ID ]
            [ dev STRING ] [ via PREFIX ] [ src PREFIX ] [ proto RTPROTO ]
            [ type TYPE ] [ scope SCOPE ] [ metric METRIC ] [ tos TOS ]
ROUTE := [ unicast | unreachable ] PREFIX [ via ADDRESS ] [ dev STRING ]
         [ metric METRIC ] [ src ADDRESS ] [ onlink ]
         [ window NUMBER ] [ advmss NUMBER ] [ rtt TIME ]
         [ pref { low | medium | high } ] [ expires SECONDS ]
";
    Failure::new(text.to_vec()).with_status(255)
}

/// `ip neigh help`
pub(super) fn neigh() -> Failure {
    let text = b"\
Usage: ip neigh { add | del | change | replace }
                { ADDR [ lladdr LLADDR ] [ nud { permanent | stale } ] |
                  proxy ADDR } dev DEV
       ip neigh { show | flush } [ proxy ] [ to PREFIX ] [ dev DEV ]
                [ master DEV ] [ nomaster ] [ nud STATE ]
       ip neigh get { ADDR | proxy ADDR } dev DEV
";
    Failure::new(text.to_vec()).with_status(255)
}

/// `ip maddr help`
pub(super) fn maddr() -> Failure {
    let text = b"\
Usage: ip maddr [ add | del ] MULTIADDR dev STRING
       ip maddr show [ dev STRING ]
";
    Failure::new(text.to_vec()).with_status(255)
}

/// `ip tunnel help`
pub(super) fn tunnel() -> Failure {
    let text = b"\
Usage: ip tunnel { add | change | del | show | prl | 6rd } [ NAME ]
        [ mode { gre | ipip | isatap | sit | vti } ]
        [ remote ADDR ] [ local ADDR ]
        [ [i|o]seq ] [ [i|o]key KEY ] [ [i|o]csum ]
        [ prl-default ADDR ] [ prl-nodefault ADDR ] [ prl-delete ADDR ]
        [ 6rd-prefix ADDR ] [ 6rd-relay_prefix ADDR ] [ 6rd-reset ]
        [ ttl TTL ] [ tos TOS ] [ [no]pmtudisc ] [ dev PHYS_DEV ]

Where: NAME := STRING
       ADDR := { IP_ADDRESS | any }
       TOS  := { STRING | 00..ff | inherit | inherit/STRING | inherit/00..ff }
       TTL  := { 1..255 | inherit }
       KEY  := { DOTTED_QUAD | NUMBER }
";
    Failure::new(text.to_vec()).with_status(255)
}

/// `ip tuntap help`
pub(super) fn tuntap() -> Failure {
    let text = b"\
Usage: ip tuntap { add | del | show | list | lst | help } [ dev PHYS_DEV ]
       [ mode { tun | tap } ] [ user USER ] [ group GROUP ]
       [ one_queue ] [ pi ] [ vnet_hdr ] [ multi_queue ] [ name NAME ]

Where: USER  := { STRING | NUMBER }
       GROUP := { STRING | NUMBER }
";
    Failure::new(text.to_vec()).with_status(255)
}
