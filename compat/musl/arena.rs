//! Memory of the static programs: an area of their own, from which blocks are taken one after the other.
//!
//! musl's allocator asks the kernel for a page for each size of block, and each such page costs two faults: as long as twenty other
//! system calls. Most commands need some kilobytes and end. What is freed last is used again; what finds no room here is musl's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of the area. The kernel gives a page of it when that is first used.
const SIZE: usize = 64 << 10;

/// Largest block that is taken from it, in bytes.
const LARGEST: usize = 16 << 10;

/// Strictest alignment of a block, in bytes.
const ALIGN: usize = 16;

#[repr(C, align(16))]
struct Arena {
    /// Bytes that are taken. It stands first, in a page that is used in any case.
    used: AtomicUsize,
    bytes: Bytes,
}

#[repr(align(16))]
struct Bytes(UnsafeCell<[u8; SIZE]>);

// SAFETY: each byte belongs to one block, and `used` changes atomically.
unsafe impl Sync for Arena {}

// behind the other variables, which are fewer pages together (static-program.ld)
#[global_allocator]
#[unsafe(link_section = ".bss.arena")]
static ARENA: Arena = Arena { used: AtomicUsize::new(0), bytes: Bytes(UnsafeCell::new([0; SIZE])) };

impl Arena {
    /// Takes a block; `None` if there is no room.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if layout.size() > LARGEST || layout.align() > ALIGN {
            return None;
        }
        let start = |used: usize| used.next_multiple_of(layout.align());
        let end = |used| Some(start(used) + layout.size()).filter(|&end| end <= SIZE);
        let used = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, end).ok()?;
        // SAFETY: the block ends within the area.
        Some(unsafe { self.bytes.0.get().cast::<u8>().add(start(used)) })
    }

    /// Returns where a block begins in the area; `None` if it is musl's.
    fn start(&self, block: *mut u8) -> Option<usize> {
        Some((block as usize).wrapping_sub(self.bytes.0.get() as usize)).filter(|&start| start < SIZE)
    }

    /// Changes the end of a block, if it is the last one.
    fn move_end(&self, from: usize, to: usize) -> bool {
        to <= SIZE && self.used.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

// SAFETY: a block is either of `take`, which gives no byte to two blocks, or musl's, and goes back where it came from.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that System wants.
        self.take(layout).unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.start(block) {
            Some(start) => drop(self.move_end(start + layout.size(), start)),
            // SAFETY: the block is System's, with this layout.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(start) = self.start(block) else {
            // SAFETY: the block is System's, with this layout.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.move_end(start + layout.size(), start + size) || size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that the new layout is one; the blocks do not overlap, and both have the bytes that are copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size());
            }
            moved
        }
    }
}
