// SPDX-License-Identifier: GPL-2.0-only
//! The door: what the C side of the module hands in, checked once, and what it takes back.

use core::mem::size_of;
use core::slice;

use crate::{Be16, Entry, Frame, Sides, Slot, Tables};

/// enum pb_outcome, as far as the reader of frames knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// It has ports.
    Pass = 0,
    /// It carries something that has none.
    NoPort = 4,
    /// A later fragment.
    Fragment = 5,
    /// A header is cut short, or is none.
    Malformed = 6,
    /// Too long a chain of headers, or one that is spread over fragments.
    Unparsable = 7,
}

/// enum pb_proto: protocols whose headers begin with source and destination port.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Proto {
    /// RFC 9293
    Tcp = 0,
    /// RFC 768
    Udp = 1,
    /// RFC 9260
    Sctp = 2,
    /// RFC 4340
    Dccp = 3,
    /// RFC 3828
    UdpLite = 4,
}

/// Where the ports of a packet are, and which.
#[derive(Clone, Copy)]
pub struct Found {
    /// Whose ports they are.
    pub proto: Proto,
    /// 4 or 6.
    pub family: u8,
    /// Where in the frame the IP header begins.
    pub network: usize,
    /// Likewise, the header with the ports.
    pub transport: usize,
    /// Source port.
    pub source: Be16,
    /// Destination port.
    pub destination: Be16,
}

/// struct pb_native_found
#[repr(C)]
pub struct Reply {
    found: u64,
    ports: u32,
    entry: u32,
    classes: [u16; 2],
    reserved: u32,
}

const _: () = assert!(size_of::<Reply>() == 24);

impl Found {
    #[inline(always)]
    fn reply(&self, sides: &Sides) -> Reply {
        Reply {
            found: self.proto as u64
                | u64::from(self.family) << 8
                | (self.network as u64 & 0xffff) << 16
                | (self.transport as u64) << 32,
            ports: u32::from(self.source.wire()) << 16 | u32::from(self.destination.wire()),
            entry: sides.entry.bits(),
            classes: [sides.destination, sides.source],
            reserved: 0,
        }
    }
}

/// PB_NATIVE_ETHERNET
const ETHERNET: u32 = 1 << 1;

/// The bytes of a frame, for as long as the call takes.
///
/// # Safety
/// There are `length` bytes, and nobody writes to them meanwhile.
#[inline(always)]
const unsafe fn frame_at<'a>(bytes: *const u8, length: usize) -> Frame<'a> {
    // SAFETY: as many bytes as the caller promises; the kernel hands out no more than that. (With AF_XDP in
    // zero-copy mode user space can write to them: native/README.md.)
    Frame::new(unsafe { slice::from_raw_parts(bytes, length) })
}

/// Lets the program say what a frame with a link-layer header comes to.
///
/// # Safety
/// `frame` is so many bytes, for as long as the call takes, and nobody writes to them meanwhile.
#[inline(always)]
pub unsafe fn entry(
    judge: impl FnOnce(Frame<'_>, &Tables, Slot) -> Entry,
    frame: (*const u8, usize),
    tables: &Tables,
    flags: u32,
) -> u32 {
    // SAFETY: as the caller promises.
    let frame = unsafe { frame_at(frame.0, frame.1) };

    judge(frame, tables, Slot::loaded(flags)).bits()
}

/// Lets the program find the ports of a frame, and what the tables have of them; returns the outcome.
///
/// # Safety
/// `frame` is so many bytes, for as long as the call takes, and nobody writes to them meanwhile.
#[inline(always)]
pub unsafe fn find(
    find: impl FnOnce(Frame<'_>, bool, &Tables, Slot) -> Result<(Found, Sides), Outcome>,
    frame: (*const u8, usize),
    tables: &Tables,
    reply: &mut Reply,
    flags: u32,
) -> u32 {
    // SAFETY: as the caller promises.
    let frame = unsafe { frame_at(frame.0, frame.1) };

    match find(frame, flags & ETHERNET != 0, tables, Slot::loaded(flags)) {
        Ok((found, sides)) => {
            *reply = found.reply(&sides);
            Outcome::Pass as u32
        }
        Err(why) => why as u32,
    }
}
