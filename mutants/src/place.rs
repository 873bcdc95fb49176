//! Where in a file the mutants go: each becomes a node, a range of the text and what is done with it.

use crate::list::{Genre, Mutant, Place};
use proc_macro2::{LineColumn, Span};
use std::{collections::HashMap, ops::Range};
use syn::{Expr, spanned::Spanned, visit::Visit};

/// A text by lines and columns.
pub struct Text {
    pub chars: Vec<char>,
    /// Where each line begins, the first one twice, as lines are counted from 1.
    lines: Vec<usize>,
}

impl Text {
    pub fn new(text: &str) -> Text {
        let chars: Vec<char> = text.chars().collect();
        let ends = chars.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
        let lines = [0, 0].into_iter().chain(ends).collect();
        Text { chars, lines }
    }

    fn at(&self, place: LineColumn) -> usize {
        self.lines[place.line] + place.column
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start())..self.at(span.end())
    }
}

/// A number, and what stands in the place of the original.
pub type Other = (usize, String);

#[derive(Clone, Debug)]
pub enum How {
    /// Values that are returned at once. The range is the empty one behind the brace.
    Return(Vec<Other>),
    /// The operator at this range inside is another one.
    Binary(Vec<Other>, Range<usize>),
    /// The operator at this range is left out.
    Unary(usize, Range<usize>),
    /// The whole is another one.
    Instead(Vec<Other>),
    /// Fields, each with its comma, are left out.
    Without(Vec<(usize, Range<usize>)>),
    /// An arm without a guard gets one. The range is the empty one behind the pattern.
    NewGuard(usize),
    /// The guard of an arm gets a condition.
    Guard(usize),
}

#[derive(Clone, Debug)]
pub struct Node {
    pub range: Range<usize>,
    pub how: How,
}

/// Finds the nodes of a file's mutants, those around others first.
pub fn nodes(text: &Text, file: &syn::File, mutants: &[&Mutant]) -> Vec<Node> {
    let mut known: HashMap<(Genre, Place), Vec<Other>> = HashMap::new();
    for mutant in mutants {
        let others = known.entry((mutant.genre, mutant.span.start)).or_default();
        others.push((mutant.number, mutant.replacement.clone()));
    }
    let mut finder = Finder { text, known, nodes: Vec::new() };
    finder.visit_file(file);
    let mut nodes = finder.nodes;
    nodes.sort_by_key(|node| (node.range.start, std::cmp::Reverse(node.range.end)));
    nodes
}

struct Finder<'a> {
    text: &'a Text,
    known: HashMap<(Genre, Place), Vec<Other>>,
    nodes: Vec<Node>,
}

impl Finder<'_> {
    fn take(&mut self, genre: Genre, span: Span) -> Vec<Other> {
        let start = span.start();
        self.known.remove(&(genre, Place { line: start.line, column: start.column + 1 })).unwrap_or_default()
    }

    fn add(&mut self, range: Range<usize>, how: How) {
        self.nodes.push(Node { range, how });
    }

    fn body(&mut self, block: &syn::Block) {
        let Some(first) = block.stmts.first() else { return };
        let others = self.take(Genre::FnValue, first.span());
        if !others.is_empty() {
            let behind = self.text.range(block.brace_token.span.open()).end;
            self.add(behind..behind, How::Return(others));
        }
    }
}

/// Whether it is a chain with `let`, which can stand nowhere else.
fn is_chain(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(both) => is_chain(&both.left) || is_chain(&both.right),
        _ => false,
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    // What is constant cannot ask which mutant is on.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}

    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}

    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.body(&item.block);
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.body(&item.block);
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expr: &'a syn::ExprBinary) {
        if !is_chain(&expr.left) && !is_chain(&expr.right) {
            let others = self.take(Genre::BinaryOperator, expr.op.span());
            if !others.is_empty() {
                let operator = self.text.range(expr.op.span());
                self.add(self.text.range(expr.span()), How::Binary(others, operator));
            }
        }
        syn::visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'a syn::ExprUnary) {
        for (number, _) in self.take(Genre::UnaryOperator, expr.op.span()) {
            let operator = self.text.range(expr.op.span());
            self.add(self.text.range(expr.span()), How::Unary(number, operator));
        }
        syn::visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'a syn::ExprStruct) {
        let mut fields = Vec::new();
        for pair in expr.fields.pairs() {
            let field = self.text.range(pair.value().span());
            let end = pair.punct().map_or(field.end, |comma| self.text.range(comma.span()).end);
            let taken = self.take(Genre::StructField, pair.value().span());
            fields.extend(taken.into_iter().map(|(number, _)| (number, field.start..end)));
        }
        if !fields.is_empty() {
            self.add(self.text.range(expr.span()), How::Without(fields));
        }
        syn::visit::visit_expr_struct(self, expr);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        let left_out = self.take(Genre::MatchArm, arm.span());
        let guard = arm.guard.as_ref().map(|(_, guard)| guard);
        for (number, _) in left_out.into_iter().filter(|_| guard.is_none_or(|guard| !is_chain(guard))) {
            let pattern = self.text.range(arm.pat.span()).end;
            match guard {
                None => self.add(pattern..pattern, How::NewGuard(number)),
                Some(guard) => self.add(self.text.range(guard.span()), How::Guard(number)),
            }
        }
        if let Some(guard) = guard.filter(|guard| !is_chain(guard)) {
            let others = self.take(Genre::MatchArmGuard, guard.span());
            if !others.is_empty() {
                self.add(self.text.range(guard.span()), How::Instead(others));
            }
        }
        syn::visit::visit_arm(self, arm);
    }
}
