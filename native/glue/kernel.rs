// SPDX-License-Identifier: GPL-2.0-only
//! What C calls. A path that could panic does not link: there is no such symbol.

#![no_std]

use portblock_rt::{Reply, Tables};

/// # Safety
/// As `portblock_rt::entry` says; `tables` is a pb_ports that lives as long as the call.
#[no_mangle]
pub unsafe extern "C" fn pb_native_entry(
    frame: *const u8,
    length: usize,
    tables: &Tables,
    flags: u32,
) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { portblock_rt::entry(portblock::judge, (frame, length), tables, flags) }
}

/// # Safety
/// As above; `reply` is the caller's alone.
#[no_mangle]
pub unsafe extern "C" fn pb_native_find(
    frame: *const u8,
    length: usize,
    tables: &Tables,
    reply: &mut Reply,
    flags: u32,
) -> u32 {
    // SAFETY: as the caller promises.
    unsafe { portblock_rt::find(portblock::find, (frame, length), tables, reply, flags) }
}

extern "C" {
    fn a_path_that_panics_is_left() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: it does not exist, so what calls it does not link.
    unsafe { a_path_that_panics_is_left() }
}
