//! Brute force: what every base cell and all of its evidence is, in the world and in each of its neighbours.
//!
//! One plan of plain DataFusion lists the rows below a query's aggregation for all replicas at once: each private table
//! is registered with the rows of every replica and a column that numbers them. Grouping, counting and adding up is
//! done here, row by row; nothing is shared with the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, UInt32Array, UInt64Array,
};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Field, Int64Type, Schema, UInt32Type};
use arrow::util::display::array_value_to_string;
use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::OptimizerRule;
use datafusion::prelude::{SessionConfig, SessionContext};
use tre_core::evidence::{CellLayout, ValueKind};
use tre_core::types::ColumnType;

use super::grammar::{Call, Front};
use super::tables::World;
use crate::fixture::Table;

/// Texts of a group's keys; `None` for NULL.
pub(super) type Keys = Vec<Option<String>>;

/// One row below the aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) unit: u32,
    /// Per argument: its value, unscaled, or 1 for what is neither number nor date.
    pub(super) values: Vec<Option<i128>>,
}

/// A group of one replica.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) rows: Vec<Row>,
    /// Where the listing has it first.
    first: usize,
}

/// All groups of one replica.
pub(super) type Groups = BTreeMap<Keys, Group>;

/// The listing of an aggregation.
pub(super) struct Listing {
    batch: RecordBatch,
    keys: usize,
    /// Replica 0 is the world itself, the others its neighbours in order.
    pub(super) replicas: Vec<Groups>,
}

/// Plain DataFusion over all replicas of a world.
pub(super) struct Oracle {
    context: SessionContext,
    replicas: usize,
}

fn session() -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .build();
    // Common expressions get another nullability than they had, and the plan is refused (DataFusion 55).
    let sound =
        |rule: &Arc<dyn OptimizerRule + Send + Sync>| rule.name() != "common_sub_expression_eliminate";
    let rules = state
        .optimizers()
        .iter()
        .filter(|rule| sound(rule))
        .cloned()
        .collect();
    let state = SessionStateBuilder::new_from_existing(state);
    SessionContext::new_with_state(state.with_optimizer_rules(rules).build())
}

/// A table's rows with the number of their replica in front.
fn numbered(table: &Table, replica: u32) -> RecordBatch {
    let plain = table.plain();
    let number: ArrayRef = Arc::new(UInt32Array::from(vec![replica; plain.num_rows()]));
    let schema = plain.schema();
    let replica = Arc::new(Field::new("replica", DataType::UInt32, false));
    let fields: Vec<_> = std::iter::once(replica)
        .chain(schema.fields().iter().cloned())
        .collect();
    let columns = std::iter::once(number)
        .chain(plain.columns().iter().cloned())
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Registers the rows that the permit allows.
async fn register(context: &SessionContext, name: &str, rows: RecordBatch, world: &World) {
    let Some(condition) = world.row_filter.filter(|_| name == "visit") else {
        context.register_batch(name, rows).unwrap();
        return;
    };
    context.register_batch("stored", rows).unwrap();
    let permitted = format!("SELECT * FROM stored WHERE {condition}");
    let permitted = context.sql(&permitted).await.unwrap().into_view();
    context.register_table(name, permitted).unwrap();
}

impl Oracle {
    /// Registers a world with its neighbours.
    pub(super) async fn new(world: &World) -> Oracle {
        let context = session();
        for (at, table) in world.tables.iter().enumerate() {
            let neighbours = world.neighbours.iter().map(|neighbour| &neighbour.tables[at]);
            let replicas = std::iter::once(table).chain(neighbours).zip(0..);
            let batches: Vec<RecordBatch> = match table.public {
                true => vec![table.plain()],
                false => replicas
                    .map(|(table, replica)| numbered(table, replica))
                    .collect(),
            };
            let all = concat_batches(&batches[0].schema(), &batches).unwrap();
            register(&context, table.name, all, world).await;
        }
        Oracle {
            context,
            replicas: 1 + world.neighbours.len(),
        }
    }

    /// The world alone, as an analyst without any guard would have it.
    pub(super) async fn plain(world: &World) -> SessionContext {
        let context = session();
        for table in &world.tables {
            register(&context, table.name, table.plain(), world).await;
        }
        context
    }

    /// The rows below an aggregation in every replica, keys in the types of its cells where these are known.
    pub(super) async fn list(&self, front: &Front, keys: &[ColumnType]) -> Listing {
        let text = &front.listing;
        let frame = self
            .context
            .sql(text)
            .await
            .unwrap_or_else(|e| panic!("{text}: {e}"));
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await.unwrap_or_else(|e| panic!("{text}: {e}"));
        let mut batch = concat_batches(&schema, &batches).unwrap();
        for (i, ty) in keys.iter().enumerate() {
            batch = with_column(&batch, 2 + i, cast(batch.column(2 + i), &ty.arrow()).unwrap());
        }
        let mut listing = Listing {
            batch,
            keys: front.domains.len(),
            replicas: vec![Groups::new(); self.replicas],
        };
        listing.group();
        listing
    }
}

fn with_column(batch: &RecordBatch, at: usize, column: ArrayRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    fields[at] = Arc::new(Field::new(fields[at].name(), column.data_type().clone(), true));
    columns[at] = column;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// A value as text, `None` for NULL.
pub(super) fn text_at(column: &ArrayRef, row: usize) -> Option<String> {
    column
        .is_valid(row)
        .then(|| array_value_to_string(column, row).unwrap())
}

/// A number unscaled, a date in days, `None` for NULL, 1 for what is neither.
pub(super) fn number_at(column: &ArrayRef, row: usize) -> Option<i128> {
    if column.is_null(row) {
        return None;
    }
    if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
        return Some(i128::from(integers.value(row)));
    }
    if let Some(days) = column.as_primitive_opt::<Date32Type>() {
        return Some(i128::from(days.value(row)));
    }
    let decimals = column.as_primitive_opt::<Decimal128Type>();
    Some(decimals.map_or(1, |decimals| decimals.value(row)))
}

impl Listing {
    fn group(&mut self) {
        let columns = self.batch.columns();
        let (replicas, units) = (
            columns[0].as_primitive::<UInt32Type>(),
            columns[1].as_primitive::<UInt32Type>(),
        );
        let (keys, arguments) = columns[2..].split_at(self.keys);
        for row in 0..self.batch.num_rows() {
            let group = self.replicas[replicas.value(row) as usize]
                .entry(keys.iter().map(|key| text_at(key, row)).collect())
                .or_insert_with(|| Group {
                    rows: vec![],
                    first: row,
                });
            group.rows.push(Row {
                unit: units.value(row),
                values: arguments
                    .iter()
                    .map(|argument| number_at(argument, row))
                    .collect(),
            });
        }
        if self.keys == 0 {
            // A query without GROUP BY has its one group whatever the rows are.
            for groups in &mut self.replicas {
                groups.entry(vec![]).or_default();
            }
        }
    }

    /// The base cells of a replica; the layout's arguments are the listing's, in the same order.
    pub(super) fn cells(&self, replica: usize, layout: &CellLayout) -> RecordBatch {
        let groups: Vec<&Group> = self.replicas[replica].values().collect();
        let first = UInt64Array::from_iter_values(groups.iter().map(|group| group.first as u64));
        let schema = layout.schema().unwrap();
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                match field
                    .name()
                    .strip_prefix('k')
                    .and_then(|i| i.parse::<usize>().ok())
                {
                    Some(key) => take(self.batch.column(2 + key), &first, None).unwrap(),
                    None => column(field, layout, &groups),
                }
            })
            .collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }
}

/// One column of values or evidence, by its name in the layout's schema.
///
/// Whoever adds evidence to the schema says here what it is by brute force.
pub(super) fn column(field: &Field, layout: &CellLayout, groups: &[&Group]) -> ArrayRef {
    let name = field.name().as_str();
    let counts = |of: &dyn Fn(&Group) -> usize| -> ArrayRef {
        let counts = groups.iter().map(|group| of(group) as u64);
        if field.data_type() == &DataType::Int64 {
            return Arc::new(counts.map(|n| n as i64).collect::<Int64Array>());
        }
        Arc::new(UInt64Array::from_iter_values(counts))
    };
    let numbers = |of: &dyn Fn(&Group) -> Option<i128>| -> ArrayRef {
        let numbers: Decimal128Array = groups.iter().map(|group| of(group)).collect();
        Arc::new(numbers.with_data_type(field.data_type().clone()))
    };
    // A value of somebody, in the type of its column.
    let extremes = |of: &dyn Fn(&Group) -> Option<i128>| -> ArrayRef {
        let values = groups.iter().map(|group| of(group));
        if field.data_type() == &DataType::Int64 {
            Arc::new(values.map(|v| v.map(|v| v as i64)).collect::<Int64Array>())
        } else if field.data_type() == &DataType::Date32 {
            Arc::new(values.map(|v| v.map(|v| v as i32)).collect::<Date32Array>())
        } else {
            numbers(of)
        }
    };
    let number = |rest: &str| rest.parse::<usize>().unwrap();
    match name {
        "rows" => return counts(&|group| group.rows.len()),
        "units" => return counts(&|group| group.people(None).len()),
        _ => {}
    }
    if let Some(value) = name.strip_prefix('v') {
        return match layout.values[number(value)] {
            ValueKind::CountRows => counts(&|group| group.rows.len()),
            ValueKind::CountUnits => counts(&|group| group.people(None).len()),
            ValueKind::Count { argument } => counts(&|group| group.values(argument).count()),
            ValueKind::CountUnitsOf { argument } => counts(&|group| group.people(Some(argument)).len()),
            ValueKind::Sum { argument } => numbers(&|group| group.sum(argument)),
            ValueKind::Min { argument } => extremes(&|group| group.values(argument).min()),
            ValueKind::Max { argument } => extremes(&|group| group.values(argument).max()),
            ValueKind::Comoment { .. } => unreachable!("the grammar has no statistics of the second order"),
        };
    }
    if let Some(argument) = name.strip_prefix("null_of_a") {
        let x = number(argument);
        return counts(&|group| group.without(None, Some(x)).len());
    }
    if let Some((a, b)) = name.strip_prefix('p').and_then(|pair| pair.split_once('_')) {
        let (a, b) = (number(a), number(b));
        return counts(&|group| group.without(Some(a), Some(b)).len());
    }
    if let Some((a, b)) = name.strip_prefix('d').and_then(|pair| pair.split_once('_')) {
        let (a, b) = (number(a), number(b));
        return counts(&|group| group.apart(a, b).len());
    }
    let (argument, what) = name
        .strip_prefix('a')
        .and_then(|rest| rest.split_once('_'))
        .unwrap_or_else(|| panic!("no brute force for the evidence `{name}`"));
    let x = number(argument);
    match what {
        "rows" => counts(&|group| group.values(x).count()),
        "present" => counts(&|group| group.people(Some(x)).len()),
        // Of what is no number nothing cancels out.
        "nonzero" if !layout.arguments[x].is_numeric() => counts(&|group| group.people(Some(x)).len()),
        "nonzero" => counts(&|group| group.not_zero(x).len()),
        "min_units" => counts(&|group| group.behind(Call::Min, Some(x)).len()),
        "max_units" => counts(&|group| group.behind(Call::Max, Some(x)).len()),
        "top1" => numbers(&|group| Some(group.top(x, 0))),
        "top2" => numbers(&|group| Some(group.top(x, 1))),
        "min" => numbers(&|group| group.values(x).min()),
        "max" => numbers(&|group| group.values(x).max()),
        _ => panic!("no brute force for the evidence `{name}`"),
    }
}

impl Group {
    /// Values of an argument that are not NULL.
    pub(super) fn values(&self, argument: usize) -> impl Iterator<Item = i128> {
        self.rows.iter().filter_map(move |row| row.values[argument])
    }

    fn sum(&self, argument: usize) -> Option<i128> {
        self.values(argument).reduce(|a, b| a + b)
    }

    /// Persons with a row that the argument counts; `None`: the row itself.
    pub(super) fn people(&self, argument: Option<usize>) -> BTreeSet<u32> {
        let counted = |row: &&Row| argument.is_none_or(|x| row.values[x].is_some());
        self.rows.iter().filter(counted).map(|row| row.unit).collect()
    }

    /// Persons with a row that `a` counts and `b` does not.
    pub(super) fn without(&self, a: Option<usize>, b: Option<usize>) -> BTreeSet<u32> {
        let counts = |row: &Row, x: Option<usize>| x.is_none_or(|x| row.values[x].is_some());
        let apart = |row: &&Row| counts(row, a) && !counts(row, b);
        self.rows.iter().filter(apart).map(|row| row.unit).collect()
    }

    /// What each person's values add up to.
    fn nets(&self, value: impl Fn(&Row) -> i128) -> BTreeMap<u32, i128> {
        let mut nets: BTreeMap<u32, i128> = BTreeMap::new();
        for row in &self.rows {
            *nets.entry(row.unit).or_default() += value(row);
        }
        nets
    }

    /// Persons whose values do not add up to zero.
    pub(super) fn not_zero(&self, argument: usize) -> BTreeSet<u32> {
        let nets = self.nets(|row| row.values[argument].unwrap_or(0));
        nets.into_iter()
            .filter(|(_, net)| *net != 0)
            .map(|(unit, _)| unit)
            .collect()
    }

    /// Persons who add something else to the one sum than to the other.
    pub(super) fn apart(&self, a: usize, b: usize) -> BTreeSet<u32> {
        let nets = self.nets(|row| row.values[a].unwrap_or(0) - row.values[b].unwrap_or(0));
        nets.into_iter()
            .filter(|(_, net)| *net != 0)
            .map(|(unit, _)| unit)
            .collect()
    }

    /// The largest, or second largest, size of one person's sum.
    pub(super) fn top(&self, argument: usize, place: usize) -> i128 {
        let nets = self.nets(|row| row.values[argument].unwrap_or(0));
        let mut sizes: Vec<i128> = nets.into_values().map(i128::abs).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.get(place).copied().unwrap_or(0)
    }

    /// What one person adds to an aggregate: their sum, or their values in any order.
    pub(super) fn of_person(&self, unit: u32, call: Call, argument: Option<usize>) -> Vec<i128> {
        let mine = self.rows.iter().filter(|row| row.unit == unit);
        let mut values: Vec<i128> = mine
            .filter_map(|row| argument.map_or(Some(1), |x| row.values[x]))
            .collect();
        values.sort_unstable();
        match call {
            Call::Sum => vec![values.iter().sum()],
            Call::Count => vec![values.len() as i128],
            Call::Units => vec![i128::from(!values.is_empty())],
            Call::Min | Call::Max => values,
        }
    }

    /// Persons behind a value: who makes an extreme, or who is counted.
    pub(super) fn behind(&self, call: Call, argument: Option<usize>) -> BTreeSet<u32> {
        let extreme = match (call, argument) {
            (Call::Min, Some(x)) => self.values(x).min(),
            (Call::Max, Some(x)) => self.values(x).max(),
            (Call::Count | Call::Units | Call::Sum | Call::Min | Call::Max, _) => {
                return self.people(argument);
            }
        };
        let makes_it =
            |row: &&Row| argument.is_some_and(|x| row.values[x].is_some() && row.values[x] == extreme);
        self.rows.iter().filter(makes_it).map(|row| row.unit).collect()
    }
}
