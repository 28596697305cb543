//! Plans with every node, expression and argument changed.

use tre_core::algebra::{Argument, Expr, Frontier, Node, Ordering, UnitCall};

/// What is changed. Every function is the identity unless one is put in its place.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) node: fn(Node) -> Node,
    pub(super) expr: fn(Expr) -> Expr,
    pub(super) argument: fn(Argument) -> Argument,
    pub(super) call: fn(UnitCall) -> UnitCall,
}

/// Nothing is.
pub(super) const SAME: Change = Change {
    node: |node| node,
    expr: |expr| expr,
    argument: |argument| argument,
    call: |call| call,
};

impl Change {
    /// The plan with every node, expression and argument changed, innermost first.
    pub(super) fn frontier(self, frontier: Frontier) -> Frontier {
        let arguments = frontier.arguments.into_iter().map(|argument| {
            (self.argument)(Argument {
                when: argument.when.map(|when| self.expr(when)),
                ..argument
            })
        });
        Frontier {
            keys: self.named(frontier.keys),
            arguments: arguments.collect(),
            input: self.node(frontier.input),
            aggregates: frontier.aggregates,
        }
    }

    fn named(self, columns: Vec<(String, Expr)>) -> Vec<(String, Expr)> {
        let columns = columns.into_iter();
        columns.map(|(name, expr)| (name, self.expr(expr))).collect()
    }

    fn node(self, node: Node) -> Node {
        let inner = |input: Box<Node>| Box::new(self.node(*input));
        (self.node)(match node {
            scan @ Node::Scan { .. } => scan,
            Node::Filter { input, predicate } => Node::Filter {
                input: inner(input),
                predicate: self.expr(predicate),
            },
            Node::Project { input, columns } => Node::Project {
                input: inner(input),
                columns: self.named(columns),
            },
            Node::JoinUnit {
                kind,
                left,
                right,
                on,
                condition,
            } => Node::JoinUnit {
                kind,
                left: inner(left),
                right: inner(right),
                on,
                condition: condition.map(|condition| self.expr(condition)),
            },
            Node::JoinPublic {
                kind,
                left,
                right,
                on,
                condition,
            } => Node::JoinPublic {
                kind,
                left: inner(left),
                right: inner(right),
                on,
                condition: condition.map(|condition| self.expr(condition)),
            },
            Node::Union { inputs } => Node::Union {
                inputs: inputs.into_iter().map(|input| self.node(input)).collect(),
            },
            Node::PerUnit { input, keys, calls } => Node::PerUnit {
                input: inner(input),
                keys: self.named(keys),
                calls: calls
                    .into_iter()
                    .map(|(name, call)| (name, self.unit_call(call)))
                    .collect(),
            },
            Node::Number {
                input,
                partition,
                order,
            } => Node::Number {
                input: inner(input),
                partition: partition.into_iter().map(|expr| self.expr(expr)).collect(),
                order: order
                    .into_iter()
                    .map(|order| Ordering {
                        by: self.expr(order.by),
                        ..order
                    })
                    .collect(),
            },
        })
    }

    fn unit_call(self, call: UnitCall) -> UnitCall {
        (self.call)(match call {
            UnitCall::CountRows => UnitCall::CountRows,
            UnitCall::Count(x) => UnitCall::Count(self.expr(x)),
            UnitCall::CountDistinct(x) => UnitCall::CountDistinct(self.expr(x)),
            UnitCall::Sum(x) => UnitCall::Sum(self.expr(x)),
            UnitCall::Min(x) => UnitCall::Min(self.expr(x)),
            UnitCall::Max(x) => UnitCall::Max(self.expr(x)),
        })
    }

    fn expr(self, expr: Expr) -> Expr {
        let inner = |a: Box<Expr>| Box::new(self.expr(*a));
        (self.expr)(match expr {
            leaf @ (Expr::Column(_) | Expr::Literal(_)) => leaf,
            Expr::Compare(op, a, b) => Expr::Compare(op, inner(a), inner(b)),
            Expr::And(a, b) => Expr::And(inner(a), inner(b)),
            Expr::Or(a, b) => Expr::Or(inner(a), inner(b)),
            Expr::Not(a) => Expr::Not(inner(a)),
            Expr::IsNull(a) => Expr::IsNull(inner(a)),
            Expr::Arithmetic(op, a, b) => Expr::Arithmetic(op, inner(a), inner(b)),
            Expr::InList(a, list) => Expr::InList(inner(a), list),
            Expr::Like {
                input,
                pattern,
                case_insensitive,
            } => Expr::Like {
                input: inner(input),
                pattern,
                case_insensitive,
            },
            Expr::Cast(a, to) => Expr::Cast(inner(a), to),
            Expr::Call(function, args) => {
                Expr::Call(function, args.into_iter().map(|arg| self.expr(arg)).collect())
            }
            Expr::Case { branches, otherwise } => Expr::Case {
                branches: branches
                    .into_iter()
                    .map(|(p, x)| (self.expr(p), self.expr(x)))
                    .collect(),
                otherwise: otherwise.map(inner),
            },
        })
    }
}
