//! Where the fields of a table's structures are, for each family and width of a program (linux/netfilter/x_tables.h, ip_tables.h,
//! ip6_tables.h).

use crate::net::Family;

/// Bytes of the head of a match or target (`struct xt_entry_match`): size, name with its NUL, revision.
pub(super) const HEAD: usize = 32;

/// Bytes of a pair of counters (`struct xt_counters`): packets and bytes.
pub(super) const COUNTERS: usize = 16;

/// Bytes of a table's name with its NUL (XT_TABLE_MAXNAMELEN).
pub(super) const NAME: usize = 32;

/// The longest name of a match or target, without the NUL (XT_EXTENSION_MAXNAMELEN is 29).
pub(super) const LONGEST_NAME: usize = 28;

/// The layout that a program's C compiler gives the structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) family: Family,
    /// The alignment of a 64-bit number, and so of everything in a table.
    align: usize,
    /// Bytes of an address.
    pointer: usize,
}

impl Layout {
    /// Returns the layout of this program.
    pub(super) const fn native(family: Family) -> Self {
        Layout { family, align: align_of::<u64>(), pointer: size_of::<usize>() }
    }

    /// Returns the layout of a 64-bit program.
    #[cfg(test)]
    pub(super) const fn of_64_bits(family: Family) -> Self {
        Layout { family, align: 8, pointer: 8 }
    }

    /// Returns the layout of a program for i386.
    #[cfg(test)]
    pub(super) const fn of_i386(family: Family) -> Self {
        Layout { family, align: 4, pointer: 4 }
    }

    /// Rounds a size up to the alignment (XT_ALIGN).
    pub(super) fn aligned(&self, size: usize) -> usize {
        size.next_multiple_of(self.align)
    }

    /// Whether a size or offset is aligned.
    pub(super) fn is_aligned(&self, size: usize) -> bool {
        size.is_multiple_of(self.align)
    }

    /// Bytes of the part of an entry that compares headers: `struct ipt_ip`, `struct ip6t_ip6`.
    pub(super) fn header(&self) -> usize {
        match self.family {
            Family::V4 => 84,
            Family::V6 => 136,
        }
    }

    /// Where `target_offset` is in an entry; `next_offset` follows.
    pub(super) fn target_offset(&self) -> usize {
        self.header() + 4
    }

    /// Bytes of an entry without matches and target.
    pub(super) fn entry(&self) -> usize {
        self.counters() + COUNTERS
    }

    /// Where the counters are in an entry.
    pub(super) fn counters(&self) -> usize {
        self.aligned(self.target_offset() + 8)
    }

    /// Bytes of a standard target: the head and a verdict.
    pub(super) fn standard_target(&self) -> usize {
        self.aligned(HEAD + 4)
    }

    /// Bytes of `struct ipt_replace` before the entries.
    pub(super) fn replace(&self) -> usize {
        self.aligned(88 + self.pointer)
    }

    /// Bytes of `struct ipt_get_entries` before the entries, and of `struct xt_counters_info` before the counters.
    pub(super) fn list(&self) -> usize {
        self.aligned(NAME + 4)
    }
}

/// Reads a number of 32 bits, if it lies within.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?))
}

/// Reads a number of 16 bits, if it lies within.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset.checked_add(2)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_compilers_have_them() {
        let sizes = |layout: Layout| {
            [layout.entry(), layout.standard_target(), layout.replace(), layout.list(), layout.target_offset()]
        };
        assert_eq!(sizes(Layout::of_64_bits(Family::V4)), [112, 40, 96, 40, 88]);
        assert_eq!(sizes(Layout::of_i386(Family::V4)), [112, 36, 92, 36, 88]);
        assert_eq!(sizes(Layout::of_64_bits(Family::V6)), [168, 40, 96, 40, 140]);
        assert_eq!(sizes(Layout::of_i386(Family::V6)), [164, 36, 92, 36, 140]);
    }
}
