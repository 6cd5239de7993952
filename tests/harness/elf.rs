//! Parses the ELF headers that tell how a program was linked (elf.h; 32 or 64 bits, little endian).

/// PT_DYNAMIC
pub(crate) const DYNAMIC: u32 = 2;
/// PT_INTERP
pub(crate) const INTERPRETER: u32 = 3;
/// ET_EXEC: a program with a fixed load address.
pub(crate) const EXECUTABLE: u16 = 2;
/// EM_386
pub(crate) const I386: u16 = 3;
/// EM_X86_64
pub(crate) const X86_64: u16 = 62;
/// EM_AARCH64
pub(crate) const AARCH64: u16 = 183;

/// Returns the type of an ELF file (`e_type`); `None` if it is not one.
pub(crate) fn kind(file: &[u8]) -> Option<u16> {
    class(file).and_then(|_| number(file, 16, 2)).map(|kind| kind as u16)
}

/// Returns the machine of an ELF file (`e_machine`); `None` if it is not one.
pub(crate) fn machine(file: &[u8]) -> Option<u16> {
    class(file).and_then(|_| number(file, 18, 2)).map(|machine| machine as u16)
}

/// Returns the types of its segments (`p_type`).
pub(crate) fn segments(file: &[u8]) -> Option<Vec<u32>> {
    // e_phoff, e_phentsize, e_phnum
    let (table, size, count) = match class(file)? {
        Class::Bits32 => (number(file, 28, 4)?, number(file, 42, 2)?, number(file, 44, 2)?),
        Class::Bits64 => (number(file, 32, 8)?, number(file, 54, 2)?, number(file, 56, 2)?),
    };
    (0..count).map(|at| number(file, table + at * size, 4).map(|kind| kind as u32)).collect()
}

enum Class {
    Bits32,
    Bits64,
}

fn class(file: &[u8]) -> Option<Class> {
    match file.get(..6)? {
        b"\x7fELF\x01\x01" => Some(Class::Bits32),
        b"\x7fELF\x02\x01" => Some(Class::Bits64),
        _ => None,
    }
}

fn number(file: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = file.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
