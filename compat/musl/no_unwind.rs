//! The unwinder of a program that aborts when it panics: there is none.
//!
//! Part of the musl link of Rust's gnu standard library (gnu-std.c has the C library's part). libgcc_eh, which would be linked
//! otherwise, asks for glibc. In Rust, so that the optimiser sees that a backtrace is empty and leaves out all that would print
//! one: half of a small program.
#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// `_URC_END_OF_STACK` (unwind.h).
const END_OF_STACK: c_int = 5;

/// Defines functions of the unwinder's interface (Itanium C++ ABI) which answer that there is nothing.
macro_rules! nothing {
    ($($name:ident($($argument:ty),*) -> $result:ty = $value:expr;)*) => {$(
        // SAFETY: the name is the one of unwind.h, with its types, and libgcc_eh, which has it too, is not linked then.
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) -> $result {
            $value
        }
    )*};
}

nothing! {
    _Unwind_Backtrace(*const c_void, *mut c_void) -> c_int = END_OF_STACK;
    _Unwind_RaiseException(*mut c_void) -> c_int = END_OF_STACK;
    _Unwind_Resume(*mut c_void) -> () = std::process::abort();
    _Unwind_DeleteException(*mut c_void) -> () = ();
    _Unwind_GetIP(*mut c_void) -> usize = 0;
    _Unwind_GetIPInfo(*mut c_void, *mut c_int) -> usize = 0;
    _Unwind_GetCFA(*mut c_void) -> usize = 0;
    _Unwind_GetRegionStart(*mut c_void) -> usize = 0;
    _Unwind_GetTextRelBase(*mut c_void) -> usize = 0;
    _Unwind_GetDataRelBase(*mut c_void) -> usize = 0;
    _Unwind_GetLanguageSpecificData(*mut c_void) -> *mut c_void = null_mut();
    _Unwind_FindEnclosingFunction(*mut c_void) -> *mut c_void = null_mut();
    _Unwind_SetGR(*mut c_void, c_int, usize) -> () = ();
    _Unwind_SetIP(*mut c_void, usize) -> () = ();
}
