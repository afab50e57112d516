// SPDX-License-Identifier: GPL-2.0-only
//! Find the ports, as xdp-portblock(8) says under "Which ports a packet has": by the outermost
//! headers only. Written from that page, and not from the other engine's parser.

use portblock_rt::{Found, Frame, Outcome, Proto};

/// Tags of a frame; a fifth one cannot be parsed.
const TAGS_MAX: usize = 4;
/// Extension headers of a packet; a ninth one cannot be parsed.
const EXTENSIONS_MAX: usize = 8;

/// A packet's way from its IP header to its ports.
struct Way {
    family: u8,
    network: usize,
    /// The next header: what it is, and where.
    next: u8,
    at: usize,
    /// Of a first fragment: where it ends. The stack puts what others bring behind that.
    end: Option<usize>,
}

/// Finds the ports of a frame, `ethernet`: with a link-layer header.
#[inline(always)]
pub(crate) fn find(frame: Frame<'_>, ethernet: bool) -> Result<Found, Outcome> {
    let way = if ethernet { behind_link(frame)? } else { by_version(frame)? };
    behind_network(frame, way)
}

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;
const PPPOE_SESSION: u16 = 0x8864;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

#[inline(always)]
fn behind_link(frame: Frame<'_>) -> Result<Way, Outcome> {
    let eth = frame.eth_header(0).ok_or(Outcome::Malformed)?;

    match eth.ethertype.get() {
        IPV4 => ipv4(frame, 14),
        IPV6 => ipv6(frame, 14),
        other => behind_tags(frame, other),
    }
}

fn behind_tags(frame: Frame<'_>, mut ethertype: u16) -> Result<Way, Outcome> {
    let (mut at, mut tags) = (14, 0);

    while ethertype == VLAN || ethertype == SERVICE_VLAN {
        if tags == TAGS_MAX {
            return Err(Outcome::Unparsable);
        }
        ethertype = frame.tag_header(at).ok_or(Outcome::Malformed)?.ethertype.get();
        at += 4;
        tags += 1;
    }
    match ethertype {
        IPV4 => ipv4(frame, at),
        IPV6 => ipv6(frame, at),
        PPPOE_SESSION => behind_pppoe(frame, at),
        _ => Err(Outcome::NoPort),
    }
}

/// The protocol field may be compressed to one byte: RFC 2516 advises against it, and Linux takes it.
fn behind_pppoe(frame: Frame<'_>, at: usize) -> Result<Way, Outcome> {
    let upper = frame.pppoe_header(at).ok_or(Outcome::Malformed)?.protocol;
    let mut protocol = u16::from(upper);
    let mut behind = at + 7;

    if upper & 1 == 0 {
        let lower = frame.byte(behind).ok_or(Outcome::Malformed)?.value;
        protocol = u16::from_be_bytes([upper, lower]);
        behind += 1;
    }
    match protocol {
        PPP_IPV4 => ipv4(frame, behind),
        PPP_IPV6 => ipv6(frame, behind),
        _ => Err(Outcome::NoPort),
    }
}

/// A frame of a device without link-layer header.
fn by_version(frame: Frame<'_>) -> Result<Way, Outcome> {
    match frame.byte(0).ok_or(Outcome::Malformed)?.value >> 4 {
        4 => ipv4(frame, 0),
        _ => ipv6(frame, 0),
    }
}

#[inline(always)]
fn ipv4(frame: Frame<'_>, at: usize) -> Result<Way, Outcome> {
    let ip = frame.ip_header(at).ok_or(Outcome::Malformed)?;
    let (length, payload) = (ip.header_length(), at + ip.header_length());

    if ip.version() != 4 || length < 20 || payload > frame.len() {
        return Err(Outcome::Malformed);
    }
    if ip.fragment_offset() != 0 {
        return Err(Outcome::Fragment);
    }
    // Ports right behind the header are in the eight bytes that the least of fragments has.
    let first = ip.more_fragments() && ip.protocol == AH;
    let bytes = usize::from(ip.total_length.get()).saturating_sub(length);

    Ok(Way {
        family: 4,
        network: at,
        next: ip.protocol,
        at: payload,
        // Of a fragment that others follow, Linux keeps a multiple of eight.
        end: if first { Some(payload + (bytes & !7)) } else { None },
    })
}

#[inline(always)]
fn ipv6(frame: Frame<'_>, at: usize) -> Result<Way, Outcome> {
    let ip = frame.ipv6_header(at).ok_or(Outcome::Malformed)?;

    if ip.version() != 6 {
        return Err(Outcome::Malformed);
    }
    Ok(Way { family: 6, network: at, next: ip.next_header, at: at + 40, end: None })
}

const HOP_BY_HOP: u8 = 0;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const DCCP: u8 = 33;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AH: u8 = 51;
const DESTINATION: u8 = 60;
const SCTP: u8 = 132;
const MOBILITY: u8 = 135;
const UDP_LITE: u8 = 136;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

#[inline(always)]
fn behind_network(frame: Frame<'_>, mut way: Way) -> Result<Found, Outcome> {
    for _ in 0..EXTENSIONS_MAX {
        if !way.is_at_extension() {
            return ports(frame, &way);
        }
        if let Err(why) = way.step_over(frame) {
            return Err(way.as_stack_sees(why));
        }
    }
    if way.is_at_extension() {
        return Err(way.as_stack_sees(Outcome::Unparsable));
    }
    ports(frame, &way)
}

impl Way {
    #[inline(always)]
    fn is_at_extension(&self) -> bool {
        match self.next {
            AH => true,
            HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION | MOBILITY | HIP | SHIM6 => self.family == 6,
            _ => false,
        }
    }

    fn step_over(&mut self, frame: Frame<'_>) -> Result<(), Outcome> {
        let header = frame.extension_header(self.at).ok_or(Outcome::Malformed)?;
        let length = usize::from(header.length);
        let mut later = false;

        self.at += match self.next {
            FRAGMENT => {
                later = header.fragment_offset() != 0;
                if !later && header.more_fragments() {
                    self.is_first_fragment(frame);
                }
                8
            }
            AH => (length + 2) * 4,
            _ => (length + 1) * 8,
        };
        self.next = header.next_header;
        if self.at > frame.len() {
            return Err(Outcome::Malformed);
        }
        if later { Err(Outcome::Fragment) } else { Ok(()) }
    }

    /// Others follow this one: what is behind its end is not of the packet that the stack delivers.
    fn is_first_fragment(&mut self, frame: Frame<'_>) {
        let payload = frame.ipv6_header(self.network).map_or(0, |ip| ip.payload_length.get());

        self.end = Some(self.network + 40 + usize::from(payload));
    }

    /// RFC 7112: a first fragment holds all headers. One that does not is no longer harmless, since
    /// the stack puts the rest behind it and delivers that.
    fn as_stack_sees(&self, why: Outcome) -> Outcome {
        match self.end {
            Some(end) if why == Outcome::Malformed || self.at > end => Outcome::Unparsable,
            _ => why,
        }
    }
}

#[inline(always)]
fn ports(frame: Frame<'_>, way: &Way) -> Result<Found, Outcome> {
    let (proto, header) = match way.next {
        TCP => (Proto::Tcp, frame.tcp_header(way.at)),
        UDP => (Proto::Udp, frame.udp_header(way.at)),
        SCTP => (Proto::Sctp, frame.ports_header(way.at)),
        DCCP => (Proto::Dccp, frame.ports_header(way.at)),
        UDP_LITE => (Proto::UdpLite, frame.ports_header(way.at)),
        _ => return Err(way.as_stack_sees(Outcome::NoPort)),
    };
    let header = match header {
        Some(header) => header,
        None => return Err(way.as_stack_sees(Outcome::Malformed)),
    };

    match way.end {
        Some(end) if way.at + 4 > end => Err(Outcome::Unparsable),
        _ => Ok(Found {
            proto,
            family: way.family,
            network: way.network,
            transport: way.at,
            source: header.source,
            destination: header.destination,
        }),
    }
}
