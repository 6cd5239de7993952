//! The multi-call program: every applet, chosen by the name under which it is called or by its first argument.

use std::process::ExitCode;

use brouter::{applet, call, manage};

fn main() -> ExitCode {
    call::start(&applet::TABLE, manage::run)
}
