// SPDX-License-Identifier: GPL-2.0-only
//! The shortcut: most frames are TCP or UDP right behind an IP header without options, whole.

use portblock_rt::{Be16, Frame, Proto};

use crate::ports::{IPV4, IPV6, TCP, UDP};

/// Protocol and destination port of such a frame; None: it is another, or is cut short.
#[inline(always)]
pub(crate) fn find(frame: Frame<'_>) -> Option<(Proto, Be16)> {
    let begins = frame.plain_ipv4(0)?;
    let ip = &begins.ip;

    match begins.eth.ethertype.get() {
        IPV4 if ip.is_plain() => Some((proto(ip.protocol)?, begins.ports.destination)),
        IPV6 => find_ipv6(frame),
        _ => None,
    }
}

#[inline(always)]
fn find_ipv6(frame: Frame<'_>) -> Option<(Proto, Be16)> {
    let begins = frame.plain_ipv6(0)?;

    if begins.ip.version() != 6 {
        return None;
    }
    Some((proto(begins.ip.next_header)?, begins.ports.destination))
}

#[inline(always)]
const fn proto(number: u8) -> Option<Proto> {
    match number {
        TCP => Some(Proto::Tcp),
        UDP => Some(Proto::Udp),
        _ => None,
    }
}
