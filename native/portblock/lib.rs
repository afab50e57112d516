// SPDX-License-Identifier: GPL-2.0-only
//! The program: find the ports of a frame, and what the tables say of them.

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod plain;
mod ports;
mod sides;

use portblock_rt::{Entry, Found, Frame, Outcome, Sides, Slot, Tables};

/// What a frame with a link-layer header comes to, as far as its first buffer and the tables say.
#[inline(always)]
pub fn judge(frame: Frame<'_>, tables: &Tables, slot: Slot) -> Entry {
    match plain::find(frame) {
        Some((proto, port)) => tables.entry(slot, proto, port),
        None => judge_any(frame, tables, slot),
    }
}

#[inline(never)]
fn judge_any(frame: Frame<'_>, tables: &Tables, slot: Slot) -> Entry {
    match ports::find(frame, true) {
        Ok(found) => tables.entry(slot, found.proto, found.destination),
        Err(why) => Entry::without_ports(why),
    }
}

/// The ports of a frame, `ethernet`: with a link-layer header, and what the tables have of them.
#[inline(always)]
pub fn find(
    frame: Frame<'_>,
    ethernet: bool,
    tables: &Tables,
    slot: Slot,
) -> Result<(Found, Sides), Outcome> {
    let found = ports::find(frame, ethernet)?;

    Ok((found, sides::of(&found, tables, slot)))
}
