//! bridge-utils' brctl as a program of its own.

use std::process::ExitCode;

use brouter::applet;

fn main() -> ExitCode {
    applet::start(applet::BRCTL.run)
}
