// SPDX-License-Identifier: GPL-2.0-only
//! The table of ports as it lies in the map: struct pb_ports of headers/portblock/abi.h.

use core::mem::size_of;
use core::sync::atomic::{fence, AtomicU16, AtomicU32, Ordering::Acquire, Ordering::Relaxed};

use crate::{Be16, Outcome, Proto};

const PORTS: usize = 1 << 16;

/// Which of the two generations: everything of a packet comes from one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Slot {
    /// PB_NATIVE_SLOT of flags.
    #[inline(always)]
    pub const fn of(flags: u32) -> Self {
        if flags & 1 == 0 { Slot::First } else { Slot::Second }
    }

    /// The same of flags that the XDP program has loaded from pb_config.active; all loads of what the slot
    /// has come after that, by the fence. (The other engine has addresses depend on the number, which is lost
    /// here.) On x86 it is no instruction.
    #[inline(always)]
    pub fn loaded(flags: u32) -> Self {
        fence(Acquire);
        Slot::of(flags)
    }
}

/// What a destination port comes to: PB_ENTRY().
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    /// PB_ENTRY_INDIRECT, of no class: the tables do not say.
    const INDIRECT: Entry = Entry(0);

    /// Of a frame without ports: indirect, and why.
    #[inline(always)]
    pub const fn without_ports(why: Outcome) -> Self {
        Entry((why as u32) << 4)
    }

    /// The tables of ports alone do not decide.
    #[inline(always)]
    pub const fn is_indirect(self) -> bool {
        self.0 & 3 == 0
    }

    /// As it is in the map.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// Which port of a packet a rule looks at: enum pb_class_tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The destination port.
    Destination = 0,
    /// The source port.
    Source = 1,
}

/// What the tables have of both ports of a packet.
pub struct Sides {
    /// Of the destination port.
    pub entry: Entry,
    /// Where that is indirect: of the destination port, by `Tables::class`.
    pub destination: u16,
    /// Likewise, of the source port.
    pub source: u16,
}

/// struct pb_ports, by ports as packets have them. Commands write while packets are judged, to the slot that is not in force, but
/// for a packet that has read the slot before: so each number is read by one load.
#[repr(C)]
pub struct Tables {
    entry: [[[AtomicU32; PORTS]; 2]; 2],
    classes: [[[AtomicU16; PORTS]; 2]; 2],
}

const _: () = assert!(size_of::<Tables>() == 2 * 2 * PORTS * (4 + 2));

impl Tables {
    /// The entry of a destination port; of TCP and UDP alone there are any.
    #[inline(always)]
    pub fn entry(&self, slot: Slot, proto: Proto, port: Be16) -> Entry {
        let [first, second] = &self.entry;
        let [of_tcp, of_udp] = if slot == Slot::First { first } else { second };
        let entries = match proto {
            Proto::Tcp => of_tcp,
            Proto::Udp => of_udp,
            Proto::Sctp | Proto::Dccp | Proto::UdpLite => return Entry::INDIRECT,
        };

        Entry(entries[usize::from(port.wire())].load(Relaxed))
    }

    /// The classes of a port that the rules of one side look at: an index of pb_port_classes.
    #[inline(always)]
    pub fn class(&self, slot: Slot, side: Side, port: Be16) -> u16 {
        let [first, second] = &self.classes;
        let [of_destinations, of_sources] = if slot == Slot::First { first } else { second };
        let classes = if side == Side::Destination { of_destinations } else { of_sources };

        classes[usize::from(port.wire())].load(Relaxed)
    }
}
