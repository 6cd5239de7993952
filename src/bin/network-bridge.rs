//! Xen's network-bridge as a program of its own.
#![cfg_attr(static_program, no_main)]

use brouter::applet;

brouter::program!(applet::NETWORK_BRIDGE.run, &applet::SCRIPT);
