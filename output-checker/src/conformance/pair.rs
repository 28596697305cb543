//! Running a pair: two counts of people, one after the other, with a ledger that holds the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, UInt64Array};
use jiff::Timestamp;

use tre_core::algebra::{Aggregate, Expr, Frontier, Node};
use tre_core::codes::Problem;
use tre_core::evidence::{BaseCells, CellLayout, ValueKind, sketch};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::QueryId;
use tre_core::manifest::ColumnMeta;
use tre_core::permit::ExitName;
use tre_core::policy::RulePack;
use tre_core::sketch::{Shares, SketchShape, Sketcher, UnitSet};
use tre_core::types::ColumnType;

use crate::check::check_under;
use crate::decision::Decision;
use crate::draws::{DrawKey, LetOut};
use crate::ledger::{Asked, Compared, Head, Ledger, compare_under};
use crate::lineage::{Lineage, TableLineage};

use super::{Outcome, Pair, malformed, run};

/// Whose people are sketched here is nobody's secret.
const KEY: [u8; 32] = [0; 32];

/// Runs one pair: what becomes of the second count.
pub(super) fn pair(pair: &Pair, rules: &RulePack) -> Result<Outcome, Problem> {
    let wrong = |what: String| malformed(format!("pair `{}`: {what}", pair.name));
    let shape = rules
        .sketch()
        .ok_or_else(|| wrong("the policy keeps no ledger".into()))?;
    let mut ledger = Ledger::default();
    let first = Count::of(0..pair.left, false, shape, rules).map_err(wrong)?;
    let first = first.compare(&ledger, rules)?;
    ledger.add(&first.answer);
    let start = pair.left.saturating_sub(pair.both);
    let second = Count::of(start..start.saturating_add(pair.next), true, shape, rules).map_err(wrong)?;
    let second = second.compare(&ledger, rules)?;
    let checked = second
        .checked
        .first()
        .ok_or_else(|| wrong("there is no answer".into()))?;
    let got = match &checked.decision {
        Decision::Release => {
            let rows = run::shown(checked.treated.batch(), 0, 1);
            let value = rows.into_values().next().and_then(|row| row.into_iter().next());
            value.unwrap_or_else(|| "left out".to_owned())
        }
        Decision::Refer { .. } => "referred".to_owned(),
        Decision::Withhold { .. } => "withheld".to_owned(),
    };
    Ok(Outcome {
        case: pair.name.clone(),
        what: "the next count".to_owned(),
        expected: pair.becomes.clone(),
        got,
    })
}

/// A count of people with one row each, everybody or those who meet a condition.
struct Count {
    frontier: Frontier,
    lineage: Lineage,
    cells: BaseCells,
    shape: SketchShape,
}

impl Count {
    fn of(
        people: std::ops::Range<u32>,
        conditional: bool,
        shape: SketchShape,
        rules: &RulePack,
    ) -> Result<Self, String> {
        let name =
            |text: &str| -> Result<_, String> { text.parse().map_err(|_| format!("`{text}` is no name")) };
        let scan = Node::Scan {
            dataset: "cases".parse().map_err(|_| "`cases` is no name".to_owned())?,
            table: name("cases")?,
            columns: vec!["x".parse().map_err(|_| "`x` is no name".to_owned())?],
        };
        let input = if conditional {
            Node::Filter {
                input: Box::new(scan),
                predicate: Expr::IsNull(Box::new(Expr::Column(0))),
            }
        } else {
            scan
        };
        let grant = grant()?;
        let layout = CellLayout {
            keys: vec![],
            values: vec![ValueKind::CountUnits],
            arguments: vec![],
            sketch: Some(shape),
            unlike: rules.values_told_apart(),
        };
        let tables = grant.tables.iter().map(|table| TableLineage {
            version: table.version.clone(),
            table: table.table.clone(),
            public: false,
            filtered: conditional,
        });
        let cells = cells(&layout, people, shape)?;
        Ok(Count {
            frontier: Frontier {
                input,
                keys: vec![],
                arguments: vec![],
                aggregates: vec![Aggregate::CountUnits],
            },
            lineage: Lineage {
                arguments: vec![],
                keys: vec![],
                population: "cases".parse().map_err(|_| "`cases` is no name".to_owned())?,
                tables: tables.collect(),
                layout,
                selected_by: vec![],
            },
            cells,
            shape,
        })
    }

    fn compare(&self, ledger: &Ledger, rules: &RulePack) -> Result<Compared, Problem> {
        let word = |what: &str| malformed(format!("`{what}` is no name"));
        let asked = Asked {
            frontier: &self.frontier,
            lineage: &self.lineage,
            cells: &self.cells,
            checked: check_under(
                &self.cells,
                &self.lineage,
                rules,
                &DrawKey::new(&KEY),
                LetOut::ByRule,
            ),
        };
        let head = Head {
            query: QueryId::from_random([0; 10]),
            project: "cases".parse().map_err(|_| word("cases"))?,
            user: "cases".parse().map_err(|_| word("cases"))?,
            exit: ExitName::View,
            at: Timestamp::UNIX_EPOCH,
        };
        let sketchers = BTreeMap::from([(self.lineage.population.clone(), Sketcher::new(&KEY, self.shape))]);
        let grant = grant().map_err(malformed)?;
        compare_under(ledger, &sketchers, head, vec![asked], &grant, rules)
    }
}

/// One table of one column.
fn grant() -> Result<Grant, String> {
    let name = |_| "`cases` is no name".to_owned();
    let version = "cases@aaaaaaaaaaaaaaaaaaaaaaaaaa";
    Ok(Grant {
        project: "cases".parse().map_err(name)?,
        tables: vec![GrantedTable {
            version: version
                .parse()
                .map_err(|_| format!("`{version}` is no version"))?,
            table: "cases".parse().map_err(name)?,
            description: String::new(),
            public: false,
            population: "cases".parse().map_err(name)?,
            cuts: vec![0],
            stored: vec![ColumnMeta {
                name: "x".parse().map_err(name)?,
                column_type: ColumnType::Text,
                description: String::new(),
                entity: None,
                measure: None,
                domain: None,
                tag: None,
                hierarchy: None,
                generalised: String::new(),
            }],
            columns: vec!["x".parse().map_err(name)?],
            row_filter: None,
            files: vec![],
        }],
    })
}

fn cells(layout: &CellLayout, people: std::ops::Range<u32>, shape: SketchShape) -> Result<BaseCells, String> {
    let sketcher = Sketcher::new(&KEY, shape);
    let (mut set, mut shares) = (UnitSet::empty(shape), Shares::default());
    for unit in people {
        set.add(&sketcher.vector(unit));
        shares.add(&sketcher.share(unit, 1, 0));
    }
    let words = [set.words(), shares.words().as_slice()].concat();
    let units = i64::try_from(set.units()).unwrap_or(i64::MAX);
    let count = || -> ArrayRef { Arc::new(UInt64Array::from(vec![set.units()])) };
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![units])), count(), count()];
    let sets = sketch::columns(shape, std::iter::once(words.as_slice()));
    columns.extend(sets.map_err(|error| error.to_string())?);
    let schema = layout.schema().map_err(|error| error.to_string())?;
    let batch = RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())?;
    BaseCells::new(layout.clone(), batch).map_err(|error| error.to_string())
}
