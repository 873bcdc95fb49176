//! The text of a file with its mutants in it.

use crate::place::{How, Node, Text};
use std::ops::Range;

/// The condition under which a mutant is on.
pub fn on(number: usize) -> String {
    format!("crate::mutant::on({number})")
}

/// The whole text.
pub fn all(text: &Text, nodes: &[Node]) -> String {
    part(text, 0..text.chars.len(), nodes)
}

/// A part of it; `nodes` are those in it, those around others first.
fn part(text: &Text, range: Range<usize>, nodes: &[Node]) -> String {
    let (mut out, mut at, mut rest) = (String::new(), range.start, nodes);
    while let [node, behind @ ..] = rest {
        let inside = behind.iter().take_while(|other| is_in(other, &node.range)).count();
        let (inside, next) = behind.split_at(inside);
        out.extend(&text.chars[at..node.range.start]);
        out += &one(text, node, inside);
        (at, rest) = (node.range.end, next);
    }
    out.extend(&text.chars[at..range.end]);
    out
}

fn is_in(node: &Node, range: &Range<usize>) -> bool {
    range.start <= node.range.start && node.range.end <= range.end
}

/// One node. Both branches hold what is inside: only one of them runs.
fn one(text: &Text, node: &Node, inside: &[Node]) -> String {
    let whole = || part(text, node.range.clone(), inside);
    let some = |range: Range<usize>| {
        let nodes: Vec<Node> = inside.iter().filter(|other| is_in(other, &range)).cloned().collect();
        part(text, range, &nodes)
    };
    let if_on = |number: &usize, then: &str| format!("if {} {{ {then} }} else ", on(*number));
    match &node.how {
        How::Return(others) => {
            let returns = others.iter().map(|(number, value)| format!(" if {} {{ return {value}; }}", on(*number)));
            returns.chain([whole()]).collect()
        }
        How::Binary(others, operator) => {
            let (left, right) = (some(node.range.start..operator.start), some(operator.end..node.range.end));
            let own: String = text.chars[operator.clone()].iter().collect();
            let with = |operator: &str| format!("{left}{operator}{right}");
            let branches: String = others.iter().map(|(number, other)| if_on(number, &with(other))).collect();
            format!("({branches}{{ {} }})", with(&own))
        }
        How::Unary(number, operator) => {
            format!("({}{{ {} }})", if_on(number, &some(operator.end..node.range.end)), whole())
        }
        How::Instead(others) => {
            let branches: String = others.iter().map(|(number, other)| if_on(number, other)).collect();
            format!("({branches}{{ {} }})", whole())
        }
        How::Without(fields) => {
            let without = |field: &Range<usize>| some(node.range.start..field.start) + &some(field.end..node.range.end);
            let branches: String = fields.iter().map(|(number, field)| if_on(number, &without(field))).collect();
            format!("({branches}{{ {} }})", whole())
        }
        How::NewGuard(number) => format!(" if !{}{}", on(*number), whole()),
        How::Guard(number) => format!("(!{} && ({}))", on(*number), whole()),
    }
}
