// SPDX-License-Identifier: GPL-2.0-only
//! The runtime: what the program may touch, as types that cannot be used wrongly. The only place
//! of the engine with `unsafe`; each has its reason.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

use core::mem::{align_of, size_of};

mod door;
mod headers;
mod tables;
pub use door::*;
pub use headers::*;
pub use tables::*;

/// Sixteen bits in network byte order.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Be16([u8; 2]);

impl Be16 {
    /// Port 0, which is none.
    pub const ZERO: Be16 = Be16([0, 0]);

    /// The bytes as they lie in memory, as a number of this machine.
    #[inline(always)]
    pub const fn wire(self) -> u16 {
        u16::from_ne_bytes(self.0)
    }

    /// As a number.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        u16::from_be_bytes(self.0)
    }
}

/// A header as it lies in a frame.
///
/// # Safety
/// Any bytes are a valid value of the type, and it may lie at any address.
pub unsafe trait Wire: Sized {
    /// Checked where a header is looked at: a type that needs alignment does not build.
    const ANYWHERE: () = assert!(align_of::<Self>() == 1);
}

/// The bytes of a frame that are in one buffer.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Of bytes in memory.
    #[inline(always)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Frame { bytes }
    }

    /// How many bytes there are.
    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// No byte at all.
    #[inline(always)]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The header that begins at `offset`; None where the frame ends before its end.
    #[inline(always)]
    fn header<T: Wire>(&self, offset: usize) -> Option<&'a T> {
        let () = T::ANYWHERE;
        let bytes = self.bytes.get(offset..)?.get(..size_of::<T>())?;
        // SAFETY: there are as many bytes as the type has, for as long as the frame is there, and
        // nobody changes them meanwhile; a Wire type takes any bytes, at any address.
        Some(unsafe { &*bytes.as_ptr().cast::<T>() })
    }
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $header:ident;)*) => {
        impl<'a> Frame<'a> {
            $($(#[$doc])*
            #[inline(always)]
            pub fn $name(&self, offset: usize) -> Option<&'a $header> {
                self.header(offset)
            })*
        }
    };
}

accessors! {
    /// Where a frame of a device with a link-layer header begins.
    eth_header: EthHeader;
    /// What follows a tag's own type.
    tag_header: TagHeader;
    /// PPPoE up to the first byte of PPP's protocol field.
    pppoe_header: PppoeHeader;
    /// The second byte of PPP's protocol field, or the first of an IP header.
    byte: Byte;
    /// IPv4 without its options.
    ip_header: Ipv4Header;
    /// IPv6.
    ipv6_header: Ipv6Header;
    /// Ethernet, IPv4 without options, ports.
    plain_ipv4: PlainIpv4;
    /// Ethernet, IPv6 without extension headers, ports.
    plain_ipv6: PlainIpv6;
    /// What all IPv6 extension headers, and AH, begin with.
    extension_header: ExtensionHeader;
    /// As much of TCP as says the ports.
    tcp_header: PortsHeader;
    /// Likewise, of UDP.
    udp_header: PortsHeader;
    /// Likewise, of SCTP, DCCP and UDP-Lite.
    ports_header: PortsHeader;
}
