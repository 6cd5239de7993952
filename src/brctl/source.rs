//! Where brctl reads bridges and ports.

use crate::era::Era;
use crate::kernel::Source;

/// Returns the source that bridge-utils of this era used first. It decides the order of bridges and ports, too.
pub(super) fn source(era: Era) -> Source {
    match era.brctl().by_sysfs {
        true => Source::Sysfs,
        false => Source::Ioctl,
    }
}
