// SPDX-License-Identifier: GPL-2.0-only
//! Headers as they lie in a frame.

use crate::{Be16, Wire};

macro_rules! headers {
    ($($(#[$doc:meta])* $name:ident, $size:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = assert!(core::mem::size_of::<$name>() == $size);

        // SAFETY: bytes and numbers made of bytes, all of which take any value at any address.
        unsafe impl Wire for $name {})*
    };
}

headers! {
    /// IEEE 802.3
    EthHeader, 14 {
        /// Destination, then source.
        addresses: [u8; 12],
        /// What follows.
        ethertype: Be16,
    }
    /// IEEE 802.1Q
    TagHeader, 4 {
        /// Priority and VLAN.
        control: Be16,
        /// What follows.
        ethertype: Be16,
    }
    /// RFC 2516 section 4, then the first byte of RFC 1661 section 2
    PppoeHeader, 7 {
        /// Version, type, code.
        version_type_code: Be16,
        /// Session.
        session: Be16,
        /// Of the payload.
        length: Be16,
        /// Odd: all of it (RFC 1661 section 6.5); else its upper half.
        protocol: u8,
    }
    /// One byte.
    Byte, 1 {
        /// Its value.
        value: u8,
    }
    /// RFC 791 section 3.1
    Ipv4Header, 20 {
        /// Version; length in words of four bytes.
        version_ihl: u8,
        /// Type of service.
        tos: u8,
        /// Header and payload.
        total_length: Be16,
        /// Of the fragments of a packet.
        identification: Be16,
        /// Reserved, DF, MF; offset in units of eight bytes.
        flags_offset: Be16,
        /// Time to live.
        ttl: u8,
        /// What follows.
        protocol: u8,
        /// Of the header.
        checksum: Be16,
        /// Source address.
        source: [u8; 4],
        /// Destination address.
        destination: [u8; 4],
    }
    /// RFC 8200 section 3
    Ipv6Header, 40 {
        /// Version; upper half of the traffic class.
        version_class: u8,
        /// Lower half of it; upper bits of the flow label.
        class_flow: u8,
        /// Flow label.
        flow: Be16,
        /// What follows the header.
        payload_length: Be16,
        /// What follows.
        next_header: u8,
        /// Hop limit.
        hop_limit: u8,
        /// Source address.
        source: [u8; 16],
        /// Destination address.
        destination: [u8; 16],
    }
    /// What most frames begin with: Ethernet, IPv4, ports where the header has no options.
    PlainIpv4, 38 {
        /// Link layer.
        eth: EthHeader,
        /// Network layer.
        ip: Ipv4Header,
        /// Transport layer.
        ports: PortsHeader,
    }
    /// Likewise, IPv6 where it has no extension headers.
    PlainIpv6, 58 {
        /// Link layer.
        eth: EthHeader,
        /// Network layer.
        ip: Ipv6Header,
        /// Transport layer.
        ports: PortsHeader,
    }
    /// RFC 8200 section 4; RFC 4302 for AH
    ExtensionHeader, 8 {
        /// What follows.
        next_header: u8,
        /// In units that its type says.
        length: u8,
        /// In a fragment header: offset in units of eight bytes, two reserved bits, M.
        offset_flags: Be16,
        /// Of other types, other things.
        rest: [u8; 4],
    }
    /// RFC 9293, 768, 9260, 4340, 3828: their first four bytes
    PortsHeader, 4 {
        /// Source port.
        source: Be16,
        /// Destination port.
        destination: Be16,
    }
}

impl Ipv4Header {
    /// IP version.
    #[inline(always)]
    pub const fn version(&self) -> u8 {
        self.version_ihl >> 4
    }

    /// Bytes of the header, options included.
    #[inline(always)]
    pub const fn header_length(&self) -> usize {
        (self.version_ihl & 15) as usize * 4
    }

    /// Where in the packet's payload this one's begins, in units of eight bytes.
    #[inline(always)]
    pub const fn fragment_offset(&self) -> u16 {
        self.flags_offset.get() & 0x1fff
    }

    /// Other fragments follow.
    #[inline(always)]
    pub const fn more_fragments(&self) -> bool {
        self.flags_offset.get() & 0x2000 != 0
    }

    /// Version 4, no options, no fragment.
    #[inline(always)]
    pub const fn is_plain(&self) -> bool {
        self.version_ihl == 0x45 && self.flags_offset.get() & 0x3fff == 0
    }
}

impl Ipv6Header {
    /// IP version.
    #[inline(always)]
    pub const fn version(&self) -> u8 {
        self.version_class >> 4
    }
}

impl ExtensionHeader {
    /// Of a fragment header, as in IPv4.
    #[inline(always)]
    pub const fn fragment_offset(&self) -> u16 {
        self.offset_flags.get() >> 3
    }

    /// Of a fragment header: others follow.
    #[inline(always)]
    pub const fn more_fragments(&self) -> bool {
        self.offset_flags.get() & 1 != 0
    }
}
