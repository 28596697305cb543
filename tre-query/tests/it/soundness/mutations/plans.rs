//! Plans that do something else than they say: every node of the algebra, the arguments of aggregates, the permit, the
//! measures.

use tre_core::algebra::{Argument, Expr, Frontier, JoinKind, Node, Quantity, UnitCall};
use tre_core::grant::Grant;
use tre_core::manifest::Bounds;
use tre_core::types::{ColumnType, Value};
use tre_query::data::Opened;

use super::noticed;
use super::walk::{Change, SAME};
use crate::fixture::CUTS;
use crate::soundness::client::{SOUND, Tamper};
use crate::soundness::compare::Kind;
use crate::soundness::tables::World;

macro_rules! every_node_matters {
    ($($name:ident, $seed:literal, $kind:ident: $from:pat $(if $guard:expr)? => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn node(node: Node) -> Node {
                    match node {
                        $from $(if $guard)? => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| Change { node, ..SAME }.frontier(frontier);
                noticed(&Tamper { frontier, ..SOUND }, $seed, Kind::$kind);
            }
        )*
    };
}

every_node_matters! {
    a_filter_that_keeps_everything, 0, Evidence:
        Node::Filter { input, .. } => *input;
    a_projection_in_another_order, 13, Evidence:
        Node::Project { input, mut columns } => { columns.reverse(); Node::Project { input, columns } };
    a_join_on_pid_that_forgets_its_other_equalities, 2, Evidence:
        Node::JoinUnit { kind, left, right, on, condition } if !on.is_empty() => {
            Node::JoinUnit { kind, left, right, on: vec![], condition }
        };
    a_join_on_pid_that_forgets_its_condition, 4, Evidence:
        Node::JoinUnit { kind, left, right, on, condition: Some(_) } => {
            Node::JoinUnit { kind, left, right, on, condition: None }
        };
    a_join_on_pid_with_itself, 1, Evidence:
        Node::JoinUnit { kind: JoinKind::Inner, left, on, condition, .. } => {
            Node::JoinUnit { kind: JoinKind::Inner, right: left.clone(), left, on, condition }
        };
    a_join_on_pid_that_keeps_rows_without_a_partner, 2, Evidence:
        Node::JoinUnit { kind: JoinKind::Inner, left, right, on, condition } => {
            Node::JoinUnit { kind: JoinKind::Left, left, right, on, condition }
        };
    a_left_join_that_drops_rows_without_a_partner, 4, Evidence:
        Node::JoinUnit { kind: JoinKind::Left, left, right, on, condition } => {
            Node::JoinUnit { kind: JoinKind::Inner, left, right, on, condition }
        };
    a_semi_join_that_keeps_everything, 0, Evidence:
        Node::JoinUnit { kind: JoinKind::Semi, left, .. } => *left;
    a_semi_join_that_keeps_the_others, 0, Evidence:
        Node::JoinUnit { kind: JoinKind::Semi, left, right, on, condition } => {
            Node::JoinUnit { kind: JoinKind::Anti, left, right, on, condition }
        };
    a_semi_join_that_counts_every_partner, 4, Evidence:
        Node::JoinUnit { kind: JoinKind::Semi, left, right, on, condition } => {
            Node::JoinUnit { kind: JoinKind::Inner, left, right, on, condition }
        };
    an_anti_join_that_keeps_everything, 1, Evidence:
        Node::JoinUnit { kind: JoinKind::Anti, left, .. } => *left;
    people_are_joined_on_something_else_than_pid, 0, Error:
        Node::JoinUnit { kind, left, right, on, condition } if !on.is_empty() => {
            Node::JoinPublic { kind, left, right, on, condition }
        };
    a_join_with_a_public_table_on_other_columns, 12, Evidence:
        Node::JoinPublic { kind, left, right, on, condition } => {
            let on = on.into_iter().map(|(l, r)| (l, 1 - r.min(1))).collect();
            Node::JoinPublic { kind, left, right, on, condition }
        };
    a_left_join_with_a_public_table_that_drops_rows, 8, Evidence:
        Node::JoinPublic { kind: JoinKind::Left, left, right, on, condition } => {
            Node::JoinPublic { kind: JoinKind::Inner, left, right, on, condition }
        };
    a_semi_join_with_a_public_table_that_counts_every_partner, 122, Evidence:
        Node::JoinPublic { kind: JoinKind::Semi, left, right, on, condition } => {
            Node::JoinPublic { kind: JoinKind::Inner, left, right, on, condition }
        };
    an_anti_join_with_a_public_table_that_keeps_everything, 4, Evidence:
        Node::JoinPublic { kind: JoinKind::Anti, left, .. } => *left;
    a_union_that_forgets_its_last_input, 4, Evidence:
        Node::Union { mut inputs } => inputs.swap_remove(0);
    a_union_in_which_rows_count_twice, 1, Error:
        Node::Union { mut inputs } => { inputs.push(inputs[0].clone()); Node::Union { inputs } };
    an_aggregation_per_person_by_other_keys, 1, Evidence:
        Node::PerUnit { input, keys, calls } => {
            // A key of one value for all rows of the person; its type is that of a condition on the key.
            let same = |(name, key): (String, Expr)| (name, Expr::Case {
                branches: vec![(Expr::Literal(Value::Bool(false)), key)],
                otherwise: None,
            });
            Node::PerUnit { input, keys: keys.into_iter().map(same).collect(), calls }
        };
    distinct_rows_of_a_person_that_are_not_distinct, 1, Evidence:
        Node::PerUnit { input, keys, calls } if calls.is_empty() => Node::Project { input, columns: keys };
    rows_are_numbered_across_their_partitions, 0, Evidence:
        Node::Number { input, order, .. } => Node::Number { input, partition: vec![], order };
    rows_are_numbered_the_other_way_round, 0, Evidence:
        Node::Number { input, partition, mut order } => {
            for one in &mut order {
                one.descending = !one.descending;
            }
            Node::Number { input, partition, order }
        };
    numbers_of_rows_leave_out_their_order, 6, Evidence:
        Node::Number { input, partition, .. } => Node::Number { input, partition, order: vec![] };
}

macro_rules! every_call_of_a_person_matters {
    ($($name:ident, $seed:literal: $from:pat $(if $guard:expr)? => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn call(call: UnitCall) -> UnitCall {
                    match call {
                        $from $(if $guard)? => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| Change { call, ..SAME }.frontier(frontier);
                noticed(&Tamper { frontier, ..SOUND }, $seed, Kind::Evidence);
            }
        )*
    };
}

every_call_of_a_person_matters! {
    rows_of_a_person_are_not_counted, 29:
        UnitCall::CountRows => UnitCall::Count(Expr::Literal(Value::Null(ColumnType::Int)));
    rows_of_a_person_without_a_value_are_counted, 32:
        UnitCall::Count(_) => UnitCall::CountRows;
    equal_values_of_a_person_count_twice, 37:
        UnitCall::CountDistinct(x) => UnitCall::Count(x);
    the_sum_of_a_person_is_taken_for_their_largest_value, 0:
        UnitCall::Sum(x) => UnitCall::Max(x);
    the_smallest_value_of_a_person_is_taken_for_their_largest, 41:
        UnitCall::Min(x) => UnitCall::Max(x);
    the_largest_value_of_a_person_is_taken_for_their_smallest, 3:
        UnitCall::Max(x) => UnitCall::Min(x);
}

macro_rules! every_argument_matters {
    ($($name:ident, $seed:literal: $from:pat $(if $guard:expr)? => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn argument(argument: Argument) -> Argument {
                    match argument {
                        $from $(if $guard)? => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| Change { argument, ..SAME }.frontier(frontier);
                noticed(&Tamper { frontier, ..SOUND }, $seed, Kind::Evidence);
            }
        )*
    };
}

every_argument_matters! {
    the_condition_of_an_aggregate_is_forgotten, 1:
        Argument { when: Some(_), quantity: quantity @ (Quantity::Column(_) | Quantity::Product(..)) } => {
            Argument { when: None, quantity }
        };
    the_rows_of_a_condition_are_the_others, 1:
        Argument { when: Some(when), quantity: Quantity::Row } => {
            Argument { when: Some(Expr::Not(Box::new(when))), quantity: Quantity::Row }
        };
    a_condition_that_is_null_holds, 4:
        Argument { when: Some(when), quantity } => {
            let null = Expr::IsNull(Box::new(when.clone()));
            Argument { when: Some(Expr::Or(Box::new(when), Box::new(null))), quantity }
        };
}

#[test]
fn the_worker_forgets_the_permits_rows() {
    let tamper = Tamper {
        opened: |opened, _| opened.grant.tables[0].row_filter = None,
        ..SOUND
    };
    noticed(&tamper, 1, Kind::Evidence);
}

#[test]
fn a_person_lies_in_two_ranges() {
    /// The first row in range 0 of `visit` goes to range 1, where its person comes first.
    fn opened(opened: &mut Opened, world: &World) {
        let (visit, granted) = (&world.tables[0], &mut opened.grant.tables[0]);
        let in_range = |range: usize| {
            let units = CUTS[range]..CUTS[range + 1];
            let rows = visit.rows.iter().filter(|(unit, _)| units.contains(unit));
            rows.cloned().collect::<Vec<_>>()
        };
        let mut ranges = [in_range(0), in_range(1)];
        let moved: Vec<_> = ranges[0].drain(..1.min(ranges[0].len())).collect();
        ranges[1].extend(moved);
        for (range, rows) in ranges.into_iter().enumerate() {
            let file = &mut granted.files[range];
            file.rows = rows.len() as u64;
            let place = format!("{}/{}/{}", granted.version, granted.table, file.name);
            let key = [u8::try_from(range).unwrap() + 1; 32];
            opened.files[range] = visit.file(&place, key, rows);
        }
    }
    noticed(&Tamper { opened, ..SOUND }, 8, Kind::Evidence);
}

#[test]
fn any_number_is_a_measure() {
    fn grant(grant: &mut Grant) {
        let age = &mut grant.tables[1].stored[1];
        let none = Value::Null(age.column_type);
        age.measure = Some(Bounds {
            min: none.clone(),
            max: none,
        });
    }
    noticed(&Tamper { grant, ..SOUND }, 4, Kind::Refusal);
}
