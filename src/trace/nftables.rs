//! What messages to nftables ask for (nft(8), `linux/netfilter/nf_tables.h`), as members of a structure:
//! `{NFT_MSG_NEWCHAIN, family="ip", table="t", chain="post", type="nat", hook="postrouting", priority=100}`.

use super::{
    argument::{Argument, Text, Value},
    flags::Flags,
};
use crate::kernel::netlink::Message;

/// What the low byte of a message's type says.
pub(super) const NAMES: &[(u64, &str)] = &[
    (0, "NFT_MSG_NEWTABLE"),
    (2, "NFT_MSG_DELTABLE"),
    (3, "NFT_MSG_NEWCHAIN"),
    (5, "NFT_MSG_DELCHAIN"),
    (6, "NFT_MSG_NEWRULE"),
    (8, "NFT_MSG_DELRULE"),
    (9, "NFT_MSG_NEWSET"),
    (11, "NFT_MSG_DELSET"),
    (12, "NFT_MSG_NEWSETELEM"),
    (14, "NFT_MSG_DELSETELEM"),
    (18, "NFT_MSG_NEWOBJ"),
    (20, "NFT_MSG_DELOBJ"),
    (22, "NFT_MSG_NEWFLOWTABLE"),
    (24, "NFT_MSG_DELFLOWTABLE"),
    (26, "NFT_MSG_DESTROYTABLE"),
    (27, "NFT_MSG_DESTROYCHAIN"),
    (28, "NFT_MSG_DESTROYRULE"),
];

const FAMILIES: [(u8, &str); 6] = [(1, "inet"), (2, "ip"), (3, "arp"), (5, "netdev"), (7, "bridge"), (10, "ip6")];
/// Where a packet meets a chain (`linux/netfilter.h`), for the families that have all five.
const HOOKS: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];
/// What all objects have in common: the name of their table.
const TABLE: u16 = 1;
/// So many parts of a rule are told.
const PARTS: usize = 16;

/// Reads one message of this type, without its header.
pub(super) fn read(kind: u16, body: &[u8]) -> Value {
    // A `struct nfgenmsg`: family, version, resource.
    let message = Message::parse(body, 4);
    let family = message.byte(0);
    let what = kind & 0xff;
    let mut members: Vec<Argument> = vec![Value::Choice(Flags::Nftables, what.into()).into()];
    let named = FAMILIES.iter().find(|(number, _)| *number == family);
    members.extend(named.map(|(_, name)| text("family", (*name).into())));
    members.extend(message.text(TABLE).map(|name| text("table", name)));
    match what {
        3 | 5 | 27 => members.extend(chain(&message, family)),
        6 | 8 | 28 => members.extend(rule(&message)),
        9..=14 => members.extend(message.text(2).map(|name| text("set", name))),
        18..=24 => members.extend(message.text(2).map(|name| text("name", name))),
        _ => {}
    }
    Value::Struct(members)
}

fn text(name: &'static str, text: String) -> Argument {
    Argument::named(name, bare(text))
}

fn bare(text: String) -> Value {
    Value::Text(Text { bytes: text.into_bytes(), cut: false })
}

/// Numbers are in network order here.
fn number(message: &Message, attribute: u16) -> Option<u32> {
    message.attribute(attribute)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A chain: its name and, where packets meet it by themselves, its type, where, in which order, and what becomes of those that no
/// rule has decided on.
fn chain(message: &Message, family: u8) -> Vec<Argument> {
    let mut out = Vec::new();
    out.extend(message.text(3).map(|name| text("chain", name)));
    out.extend(message.text(7).map(|kind| text("type", kind)));
    if let Some(hook) = message.attribute(4).map(|hook| Message::parse(hook, 0)) {
        out.extend(number(&hook, 1).map(|number| {
            let name = HOOKS.get(number as usize).filter(|_| matches!(family, 1 | 2 | 7 | 10));
            match name {
                Some(name) => text("hook", (*name).into()),
                None => Argument::named("hook", Value::Number(number.into())),
            }
        }));
        let priority = number(&hook, 2).map(|priority| i64::from(priority.cast_signed()));
        out.extend(priority.map(|priority| Argument::named("priority", Value::Number(priority))));
    }
    let policy = number(message, 5).and_then(|policy| ["drop", "accept"].get(policy as usize));
    out.extend(policy.map(|policy| text("policy", (*policy).into())));
    out
}

/// A rule: its chain, and what it looks at and does, part by part.
fn rule(message: &Message) -> Vec<Argument> {
    let mut out = Vec::new();
    out.extend(message.text(2).map(|name| text("chain", name)));
    let handle = message.attribute(3).and_then(|bytes| bytes.first_chunk());
    out.extend(handle.map(|bytes| Argument::named("handle", Value::Number(i64::from_be_bytes(*bytes)))));
    if let Some(list) = message.attribute(4).map(|list| Message::parse(list, 0)) {
        let parts: Vec<String> = list.attributes(1).map(|part| part_of(&Message::parse(part, 0))).collect();
        let cut = parts.len() > PARTS;
        let items = parts.into_iter().take(PARTS).map(bare).collect();
        out.push(Argument::named("expr", Value::List { items, cut }));
    }
    out
}

/// One part of a rule: its name or, where that says more, what it does.
fn part_of(part: &Message) -> String {
    let name = part.text(1).unwrap_or_else(|| "?".into());
    let data = part.attribute(2).map(|data| Message::parse(data, 0)).unwrap_or_default();
    let known = match name.as_str() {
        "nat" => number(&data, 1).and_then(|kind| ["snat", "dnat"].get(kind as usize)).map(|kind| (*kind).to_string()),
        "masq" => Some("masquerade".into()),
        "immediate" => data.attribute(2).and_then(|value| verdict(&Message::parse(value, 0))),
        _ => None,
    };
    known.unwrap_or(name)
}

/// What becomes of a packet (`linux/netfilter.h`); the negative ones lead to another chain.
fn verdict(value: &Message) -> Option<String> {
    let verdict = Message::parse(value.attribute(2)?, 0);
    let to = verdict.text(2).unwrap_or_default();
    Some(match number(&verdict, 1)?.cast_signed() {
        0 => "drop".into(),
        1 => "accept".into(),
        -1 => "continue".into(),
        -3 => format!("jump {to}"),
        -4 => format!("goto {to}"),
        -5 => "return".into(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = 4 + value.len();
        let mut out = [(length as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
        out.extend(value);
        out.resize(length.next_multiple_of(4), 0);
        out
    }

    fn nested(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
        attribute(kind | 0x8000, &parts.concat())
    }

    fn said(kind: u16, parts: &[Vec<u8>]) -> String {
        read(0xa00 | kind, &[vec![2, 0, 0, 0], parts.concat()].concat()).to_string()
    }

    #[test]
    fn tables_chains_and_rules_are_told() {
        let table = attribute(1, b"t\0");
        assert_eq!(said(0, std::slice::from_ref(&table)), r#"{NFT_MSG_NEWTABLE, family="ip", table="t"}"#);
        let hook = nested(4, &[attribute(1, &4u32.to_be_bytes()), attribute(2, &(-100i32).to_be_bytes())]);
        let chain = [table.clone(), attribute(3, b"post\0"), hook, attribute(7, b"nat\0"), attribute(5, &[0, 0, 0, 1])];
        assert_eq!(
            said(3, &chain),
            r#"{NFT_MSG_NEWCHAIN, family="ip", table="t", chain="post", type="nat", hook="postrouting", priority=-100, policy="accept"}"#
        );
        let part = |name: &[u8], data: &[Vec<u8>]| nested(1, &[attribute(1, name), nested(2, data)]);
        let verdict = nested(2, &[nested(2, &[attribute(1, &(-3i32).to_be_bytes()), attribute(2, b"web\0")])]);
        let parts = [
            part(b"meta\0", &[]),
            part(b"nat\0", &[attribute(1, &1u32.to_be_bytes())]),
            part(b"masq\0", &[]),
            part(b"immediate\0", &[verdict]),
        ];
        let rule = [table, attribute(2, b"pre\0"), nested(4, &parts)];
        assert_eq!(
            said(6, &rule),
            r#"{NFT_MSG_NEWRULE, family="ip", table="t", chain="pre", expr=["meta", "dnat", "masquerade", "jump web"]}"#
        );
        // What is cut short does no harm.
        let whole = [vec![2, 0, 0, 0], rule.concat()].concat();
        for end in 0..whole.len() {
            assert!(read(0xa06, &whole[..end]).to_string().starts_with("{NFT_MSG_NEWRULE"));
        }
        assert_eq!(said(200, &[]), r#"{0xc8 /* NFT_MSG_??? */, family="ip"}"#);
    }
}
