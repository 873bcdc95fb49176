//! netlink(7): the socket through which the kernel tells, and changes, what the caller's network namespace holds.

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
};
use std::os::fd::AsRawFd;

/// Message types (linux/rtnetlink.h): change a link, list links, list addresses.
pub(crate) const NEW_LINK: u16 = 16;
/// Lists links.
pub(crate) const GET_LINK: u16 = 18;
/// Lists addresses.
pub(crate) const GET_ADDRESS: u16 = 22;
/// Lists routes.
pub(crate) const GET_ROUTE: u16 = 26;
/// Lists neighbours, or what bridges have learned.
pub(crate) const GET_NEIGHBOUR: u16 = 30;
/// Asks which number this network namespace has for another one.
pub(crate) const GET_NSID: u16 = 90;

/// Lists sockets of one family (linux/sock_diag.h); the state LISTEN; the length of `struct inet_diag_msg`.
const BY_FAMILY: u16 = 20;
const LISTEN: u32 = 10;
const SOCKET: usize = 72;

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// The length of `struct nlmsghdr`, which stands before every message.
const HEADER: usize = 16;

/// One object: its fixed part, then attributes by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    head: Vec<u8>,
    attributes: Vec<(u16, Vec<u8>)>,
}

impl Message {
    /// Reads what follows the header, or what is nested in an attribute: a fixed part of this length, then attributes.
    pub(crate) fn parse(body: &[u8], fixed: usize) -> Message {
        let (head, mut rest) = body.split_at_checked(fixed).unwrap_or((body, &[]));
        let mut message = Message { head: head.into(), ..Message::default() };
        let attribute = |bytes: &[u8]| (number(bytes, 0, 2) as usize, number(bytes, 2, 2) & 0x3fff);
        while let Some((value, kind, next)) = cut(rest, 4, 4, attribute) {
            message.attributes.push((kind as u16, value.into()));
            rest = next;
        }
        message
    }

    /// A byte of the fixed part.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.head.get(at).copied().unwrap_or_default()
    }

    /// Two bytes of the fixed part.
    pub(crate) fn short(&self, at: usize) -> u16 {
        number(&self.head, at, 2) as u16
    }

    /// Four bytes of the fixed part.
    pub(crate) fn word(&self, at: usize) -> u32 {
        number(&self.head, at, 4)
    }

    /// The bytes of all attributes of this number, as lists have them.
    pub(crate) fn attributes(&self, wanted: u16) -> impl Iterator<Item = &[u8]> {
        self.attributes.iter().filter(move |(number, _)| *number == wanted).map(|(_, bytes)| bytes.as_slice())
    }

    /// An attribute's bytes.
    pub(crate) fn attribute(&self, wanted: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(number, _)| *number == wanted).map(|(_, bytes)| bytes.as_slice())
    }

    /// An attribute that is a number of one to four bytes.
    pub(crate) fn number(&self, wanted: u16) -> Option<u32> {
        self.attribute(wanted).map(|bytes| number(bytes, 0, bytes.len().min(4)))
    }

    /// An attribute that is a text, which ends with a zero.
    pub(crate) fn text(&self, wanted: u16) -> Option<String> {
        let bytes = self.attribute(wanted)?;
        Some(String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned())
    }
}

/// Numbers in these messages are in the machine's own byte order.
fn number(bytes: &[u8], at: usize, length: usize) -> u32 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    let add = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
    if cfg!(target_endian = "big") { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

/// Lists all objects of one kind.
///
/// Errors: those of the socket, and what the kernel answers.
pub(crate) fn list(kind: u16) -> nix::Result<Vec<Message>> {
    list_of(kind, 0)
}

/// Lists all objects of one kind and one family of addresses; 0 is every family.
///
/// Errors: those of the socket, and what the kernel answers.
pub(crate) fn list_of(kind: u16, family: u8) -> nix::Result<Vec<Message>> {
    // All kinds of list take a fixed part of at most 16 bytes, where zeros mean "all".
    let fixed = match kind {
        GET_ADDRESS => 8,
        GET_ROUTE | GET_NEIGHBOUR => 12,
        _ => 16,
    };
    let mut body = [0; 16];
    body[0] = family;
    exchange(SockProtocol::NetlinkRoute, kind, REQUEST | DUMP, &body, fixed)
}

/// Asks one question; `body` is the fixed part and attributes, `fixed` the length of the fixed part of the answer.
///
/// Errors: those of the socket, and what the kernel answers.
pub(crate) fn ask(kind: u16, body: &[u8], fixed: usize) -> nix::Result<Vec<Message>> {
    exchange(SockProtocol::NetlinkRoute, kind, REQUEST | ACKNOWLEDGE, body, fixed)
}

/// Asks the kernel to change something; `body` is the fixed part.
///
/// Errors: EPERM without CAP_NET_ADMIN in the user namespace that owns the network namespace; ENODEV.
pub(crate) fn change(kind: u16, body: &[u8]) -> nix::Result<()> {
    exchange(SockProtocol::NetlinkRoute, kind, REQUEST | ACKNOWLEDGE, body, 0).map(drop)
}

/// The TCP ports that are listened on, IPv4 and IPv6 (sock_diag(7)). The kernel walks its table of listeners alone,
/// while `/proc/net/tcp` has it walk that of all connections, which takes milliseconds however few there are.
///
/// Errors: EPROTONOSUPPORT or ENOENT where the kernel was built without it.
pub(crate) fn listeners() -> nix::Result<Vec<u16>> {
    let mut ports = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        // `struct inet_diag_req_v2`: family, protocol, two bytes of extras, the states that are wanted, any socket.
        let mut body = vec![family as u8, libc::IPPROTO_TCP as u8, 0, 0];
        body.extend((1u32 << LISTEN).to_ne_bytes());
        body.extend([0; 48]);
        let found = exchange(SockProtocol::NetlinkSockDiag, BY_FAMILY, REQUEST | DUMP, &body, SOCKET)?;
        // After family, state, timer and retransmissions comes the own port, in network order.
        ports.extend(found.iter().map(|socket| u16::from_be_bytes([socket.byte(4), socket.byte(5)])));
    }
    Ok(ports)
}

fn exchange(protocol: SockProtocol, kind: u16, flags: u16, body: &[u8], fixed: usize) -> nix::Result<Vec<Message>> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    let mut request = Vec::with_capacity(HEADER + body.len());
    request.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    // Sequence and sender: one socket for one question needs neither.
    request.extend([0; 8]);
    request.extend(body);
    send(socket.as_raw_fd(), &request, MsgFlags::empty())?;
    let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if read(buffer.get(..length).unwrap_or_default(), fixed, &mut all)? {
            return Ok(all);
        }
    }
}

/// Reads the messages of one answer; true when it was the last.
fn read(mut bytes: &[u8], fixed: usize, all: &mut Vec<Message>) -> nix::Result<bool> {
    while let Some((body, kind, rest)) =
        cut(bytes, HEADER, 4, |bytes| (number(bytes, 0, 4) as usize, number(bytes, 4, 2)))
    {
        bytes = rest;
        match kind as u16 {
            DONE => return Ok(true),
            // An error of zero is the acknowledgement.
            ERROR => {
                let code = number(body, 0, 4) as i32;
                return if code == 0 { Ok(true) } else { Err(Errno::from_raw(-code)) };
            }
            _ => {
                all.push(Message::parse(body, fixed));
            }
        }
    }
    Ok(false)
}

/// Cuts off one piece: its length stands at its beginning, and the next one begins at the next multiple of `align`.
fn cut(bytes: &[u8], header: usize, align: usize, what: fn(&[u8]) -> (usize, u32)) -> Option<(&[u8], u32, &[u8])> {
    let (length, kind) = what(bytes.get(..header)?);
    let body = bytes.get(header..length)?;
    Some((body, kind, bytes.get(length.next_multiple_of(align)..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_are_listed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let listed = listeners().unwrap();
        assert!(listed.contains(&port) && !listed.contains(&client.local_addr().unwrap().port()), "{listed:?}");
        let six =
            std::net::TcpListener::bind("[::1]:0").map(|listener| (listener.local_addr().unwrap().port(), listener));
        assert!(six.is_err() || listeners().unwrap().contains(&six.unwrap().0));
    }

    #[test]
    fn the_loopback_interface_is_listed() {
        let links = list(GET_LINK).unwrap();
        let lo = links.iter().find(|link| link.text(3).as_deref() == Some("lo")).unwrap();
        assert_eq!((lo.short(2), lo.word(4)), (772, 1));
        assert!(list(GET_ADDRESS).unwrap().iter().all(|address| address.byte(1) <= 128));
    }

    #[test]
    fn a_refusal_has_its_errno_and_a_cut_message_does_no_harm() {
        let mut body = [0; 16];
        body[4..8].copy_from_slice(&999_999u32.to_ne_bytes());
        assert!(matches!(change(NEW_LINK, &body), Err(Errno::ENODEV | Errno::EPERM)));
        let mut all = Vec::new();
        assert_eq!(read(&[200, 0, 0, 0, 16, 0, 0], 16, &mut all), Ok(false));
        assert_eq!(read(&[255; 40], 16, &mut all), Ok(false));
        assert!(all.is_empty());
    }

    /// A message as the kernel sends it: its length, its kind, ten more bytes of the header, and what it carries.
    fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_message_has_a_fixed_part_and_attributes() {
        let head = [vec![9, 8], 0x1234u16.to_ne_bytes().to_vec(), 0x0102_0304u32.to_ne_bytes().to_vec()].concat();
        // The two highest bits of a kind are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
        let all = [attribute(3, b"lo\0"), attribute(0xc000 | 4, &70_000u32.to_ne_bytes()), attribute(3, b"no zero")];
        let message = Message::parse(&[head, all.concat(), vec![200, 0, 1]].concat(), 8);
        assert_eq!((message.byte(0), message.byte(1), message.byte(8)), (9, 8, 0));
        assert_eq!((message.short(2), message.word(4), message.word(5)), (0x1234, 0x0102_0304, 0));
        assert_eq!((message.text(3).as_deref(), message.text(5)), (Some("lo"), None));
        assert_eq!(message.attributes(3).collect::<Vec<_>>(), [b"lo\0".as_slice(), b"no zero"]);
        assert_eq!((message.attribute(4), message.number(4)), (Some(70_000u32.to_ne_bytes().as_slice()), Some(70_000)));
        assert_eq!((message.number(9), message.attributes(9).count()), (None, 0));
        // Of more than four bytes the first four count; less than a fixed part is all of it.
        assert_eq!(Message::parse(&attribute(1, &[5u32.to_ne_bytes(), [9; 4]].concat()), 0).number(1), Some(5));
        assert_eq!(Message::parse(&[7], 8).byte(0), 7);
        assert_eq!(Message::parse(&attribute(1, &[6]), 0).number(1), Some(6));
    }

    #[test]
    fn an_answer_ends_with_the_word_for_it() {
        let told = |parts: &[Vec<u8>]| {
            let mut all = Vec::new();
            let last = read(&parts.concat(), 1, &mut all);
            (last, all.iter().map(|message| message.byte(0)).collect::<Vec<_>>())
        };
        let (one, two) = (framed(16, &[1, 0, 0]), framed(16, &[2]));
        let (done, error) = (framed(DONE, &[0; 4]), |code: i32| framed(ERROR, &code.to_ne_bytes()));
        assert_eq!(told(&[one.clone(), two.clone()]), (Ok(false), vec![1, 2]), "more follows");
        assert_eq!(told(&[one.clone(), done, two.clone()]), (Ok(true), vec![1]), "nothing follows");
        assert_eq!(told(&[one.clone(), error(0), two]), (Ok(true), vec![1]), "done as asked");
        assert_eq!(told(&[one, error(-libc::ENODEV)]), (Err(Errno::ENODEV), vec![1]));
        assert_eq!(told(&[]), (Ok(false), vec![]));
    }

    #[test]
    fn a_list_of_one_family_has_no_other() {
        let all = list(GET_ADDRESS).unwrap();
        let four = list_of(GET_ADDRESS, libc::AF_INET as u8).unwrap();
        assert!(four.iter().all(|address| i32::from(address.byte(0)) == libc::AF_INET));
        assert_eq!(four.len(), all.iter().filter(|address| i32::from(address.byte(0)) == libc::AF_INET).count());
        // Behind the fixed part stands the address itself.
        assert!(four.iter().all(|address| address.attribute(1).is_some_and(|ip| ip.len() == 4)), "{four:?}");
        assert!(list(GET_ROUTE).unwrap().iter().all(|route| route.number(15).is_some_and(|table| table > 0)));
    }
}
