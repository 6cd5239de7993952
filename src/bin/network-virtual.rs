//! Xen's network-virtual as a program of its own.
#![cfg_attr(static_program, no_main)]

use brouter::applet;

brouter::program!(applet::NETWORK_VIRTUAL.run, &applet::SCRIPT);
