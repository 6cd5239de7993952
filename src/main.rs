//! The multi-call program: every applet, chosen by the name under which it is called or by its first argument.
#![cfg_attr(static_program, no_main)]

use brouter::{applet, manage};

brouter::program!(manage::run, &applet::TABLE);
