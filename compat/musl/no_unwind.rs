//! Stubs for the unwinder of programs that abort when they panic.
//!
//! Written in Rust so that the optimiser sees that a backtrace is empty, and drops the code that would print one: half of a small
//! program. Where Rust's gnu standard library is linked with musl (gnu-std.c has the symbols of the C library), there is no other
//! unwinder: libgcc_eh needs glibc.
#![allow(unsafe_code)]

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// `_URC_END_OF_STACK` (unwind.h).
const END_OF_STACK: c_int = 5;

/// Defines functions of the unwinder's interface (Itanium C++ ABI) that return a constant.
macro_rules! nothing {
    ($($name:ident($($argument:ty),*) -> $result:ty = $value:expr;)*) => {$(
        // SAFETY: name and types are those of unwind.h; a library that defines the name too is not asked for it.
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
