//! Xen's vif-bridge as a program of its own.
#![cfg_attr(static_program, no_main)]

use brouter::applet;

brouter::program!(applet::VIF_BRIDGE.run, &[]);
