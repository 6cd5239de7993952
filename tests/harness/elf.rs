//! Parses the ELF headers that tell how a program was linked (elf.h; 64 bits, little endian).

/// PT_DYNAMIC
pub(crate) const DYNAMIC: u32 = 2;
/// PT_INTERP
pub(crate) const INTERPRETER: u32 = 3;
/// ET_EXEC: a program with a fixed load address.
pub(crate) const EXECUTABLE: u16 = 2;

/// Returns the type of an ELF file (`e_type`); `None` if it is not one.
pub(crate) fn kind(file: &[u8]) -> Option<u16> {
    file.starts_with(b"\x7fELF\x02\x01").then(|| number(file, 16, 2)).flatten().map(|kind| kind as u16)
}

/// Returns the types of its segments (`p_type`).
pub(crate) fn segments(file: &[u8]) -> Option<Vec<u32>> {
    kind(file)?;
    let (table, size, count) = (number(file, 32, 8)?, number(file, 54, 2)?, number(file, 56, 2)?);
    (0..count).map(|at| number(file, table + at * size, 4).map(|kind| kind as u32)).collect()
}

fn number(file: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = file.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
