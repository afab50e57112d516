// SPDX-License-Identifier: GPL-2.0-only
//! Both sides of a packet: a rule looks at its destination or at its source port.

use portblock_rt::{Found, Proto, Side, Sides, Slot, Tables};

/// Mostly the destination port's entry decides. Where it does not, the classes of both ports say which
/// rules may.
#[inline(always)]
pub(crate) fn of(found: &Found, tables: &Tables, slot: Slot) -> Sides {
    let entry = tables.entry(slot, found.proto, found.destination);

    if !entry.is_indirect() {
        return Sides { entry, destination: 0, source: 0 };
    }
    let destination = match found.proto {
        Proto::Tcp | Proto::Udp => 0, // it is in the entry
        _ => tables.class(slot, Side::Destination, found.destination),
    };
    Sides { entry, destination, source: tables.class(slot, Side::Source, found.source) }
}
