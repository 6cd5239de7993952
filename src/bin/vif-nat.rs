//! Xen's vif-nat as a program of its own.
#![cfg_attr(static_program, no_main)]

use brouter::applet;

brouter::program!(applet::VIF_NAT.run, &[]);
