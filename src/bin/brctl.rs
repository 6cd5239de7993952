//! bridge-utils' brctl as a program of its own.
#![cfg_attr(static_program, no_main)]

use brouter::applet;

brouter::program!(applet::BRCTL.run, &[]);
