//! An answer as a table, JSON or CSV. Values are shown exactly: integers and decimals with all their digits, dates and
//! times in ISO 8601.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use schemars::{JsonSchema, Schema as JsonSchemaDocument, SchemaGenerator};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tre_core::status::Status;

use super::instead::{Rewrite, helpful};
use crate::render::{Cell, Grid, Shown, View};

/// Name of the last column of every answer, which says per row what was done.
pub(crate) const DISCLOSURE: &str = "disclosure";

/// Key of the schema's metadata under which notices on the whole result stand.
const NOTICES: &str = "tre.notices";

/// The same for what to ask instead.
const REWRITES: &str = "tre.rewrites";

/// The same for what the rules in `disclosure` mean under the policy.
const RULES: &str = "tre.rules";

/// What came back for one query.
#[derive(Debug)]
pub(crate) struct Answer {
    schema: Arc<Schema>,
    batches: Vec<RecordBatch>,
}

impl Answer {
    /// An answer of this schema, without rows yet.
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        Answer {
            schema,
            batches: Vec::new(),
        }
    }

    /// Adds rows.
    pub(crate) fn push(&mut self, batch: RecordBatch) {
        self.batches.push(batch);
    }

    /// The schema that came with the rows; notices stand in this one if not in the planned one.
    pub(crate) fn learn(&mut self, schema: &Arc<Schema>) {
        if schema.metadata().contains_key(NOTICES) || self.schema.fields().is_empty() {
            self.schema = Arc::clone(schema);
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// What is said about the result as a whole.
    pub(crate) fn notices(&self) -> Vec<String> {
        let text = self.schema.metadata().get(NOTICES);
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// All rewrites of the question, whatever was done to this answer.
    fn rewrites(&self) -> Vec<Rewrite> {
        let text = self.schema.metadata().get(REWRITES);
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// What to ask instead, as sentences: against the rules that suppressed values, or against whatever left no row at all.
    pub(crate) fn instead(&self) -> Vec<String> {
        let rewrites = self.rewrites();
        let rules = (self.rows() > 0).then(|| self.rules());
        let helpful = helpful(&rewrites, rules.as_deref());
        helpful.into_iter().map(|rewrite| rewrite.what.clone()).collect()
    }

    /// What the rules by which values were suppressed mean under the policy.
    pub(crate) fn meanings(&self) -> Vec<String> {
        let text = self.schema.metadata().get(RULES);
        let meanings: BTreeMap<String, String> = text
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let told = |rule: String| Some(format!("{rule}: {}", meanings.get(&rule)?));
        self.rules().into_iter().filter_map(told).collect()
    }

    /// The rules by which values were suppressed, each once.
    fn rules(&self) -> Vec<String> {
        let mark = format!(": {} (", Status::Suppressed);
        let mut rules: Vec<String> = Vec::new();
        for batch in &self.batches {
            let column = batch.column_by_name(DISCLOSURE);
            let texts = column.and_then(|column| column.as_string_opt::<i32>());
            for item in texts
                .iter()
                .flat_map(|texts| texts.iter().flatten())
                .flat_map(|text| text.split("; "))
            {
                let rule = item
                    .split_once(&mark)
                    .and_then(|(_, rule)| rule.strip_suffix(')'));
                if let Some(rule) = rule.filter(|rule| !rules.iter().any(|known| known == rule)) {
                    rules.push(rule.to_owned());
                }
            }
        }
        rules
    }

    /// Whether the column that says what was done is there.
    pub(crate) fn is_disclosed(&self) -> bool {
        self.schema
            .fields()
            .iter()
            .any(|field| field.name() == DISCLOSURE)
    }

    /// How many rows have a suppressed value.
    pub(crate) fn suppressed_rows(&self) -> usize {
        let mark = format!(": {} (", Status::Suppressed);
        let column = |batch: &RecordBatch| batch.column_by_name(DISCLOSURE).cloned();
        self.batches
            .iter()
            .filter_map(column)
            .map(|column| match column.as_string_opt::<i32>() {
                Some(texts) => texts.iter().flatten().filter(|text| text.contains(&mark)).count(),
                None => 0,
            })
            .sum()
    }

    /// The same answer without the column that says what was done.
    pub(crate) fn without_disclosure(self) -> Self {
        let kept: Vec<usize> = self
            .schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| field.name() != DISCLOSURE)
            .map(|(at, _)| at)
            .collect();
        let project = |schema: &Arc<Schema>| {
            schema
                .project(&kept)
                .map_or_else(|_| Arc::clone(schema), Arc::new)
        };
        let batches = self
            .batches
            .iter()
            .map(|batch| batch.project(&kept).unwrap_or_else(|_| batch.clone()))
            .collect();
        Answer {
            schema: project(&self.schema),
            batches,
        }
    }

    /// Every row, as values under the names of the columns.
    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.batches.iter().flat_map(move |batch| {
            (0..batch.num_rows()).map(move |row| Record {
                fields: self.schema.fields(),
                columns: batch.columns(),
                row,
            })
        })
    }
}

/// One row.
struct Record<'a> {
    fields: &'a arrow::datatypes::Fields,
    columns: &'a [ArrayRef],
    row: usize,
}

/// One value on its way out.
#[derive(Debug, PartialEq)]
enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Decimals, whose digits a JSON number would lose.
    Digits(String),
    Text(Cow<'a, str>),
}

fn scalar(column: &ArrayRef, row: usize) -> Scalar<'_> {
    if row >= column.len() || column.is_null(row) || column.data_type() == &DataType::Null {
        return Scalar::Null;
    }
    if let Some(values) = column.as_boolean_opt() {
        return Scalar::Bool(values.value(row));
    }
    if let Some(values) = column.as_primitive_opt::<Int64Type>() {
        return Scalar::Int(values.value(row));
    }
    if let Some(values) = column.as_primitive_opt::<Float64Type>() {
        return Scalar::Float(values.value(row));
    }
    if let Some(values) = column.as_string_opt::<i32>() {
        return Scalar::Text(Cow::Borrowed(values.value(row)));
    }
    let shown = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default());
    let text = shown.ok().and_then(|shown| shown.value(row).try_to_string().ok());
    match text {
        None => Scalar::Null,
        Some(text) if column.data_type().is_numeric() => Scalar::Digits(text),
        Some(text) => Scalar::Text(Cow::Owned(text)),
    }
}

impl Scalar<'_> {
    fn cell(self) -> Cell {
        match self {
            Scalar::Null => Cell::Null,
            Scalar::Bool(value) => Cell::text(value),
            Scalar::Int(value) => Cell::number(value),
            Scalar::Float(value) => Cell::number(value),
            Scalar::Digits(digits) => Cell::Number(digits),
            Scalar::Text(text) => Cell::Text(text.into_owned()),
        }
    }
}

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Scalar::Null => serializer.serialize_unit(),
            Scalar::Bool(value) => serializer.serialize_bool(*value),
            Scalar::Int(value) => serializer.serialize_i64(*value),
            Scalar::Float(value) => serializer.serialize_f64(*value),
            Scalar::Digits(digits) => serializer.serialize_str(digits),
            Scalar::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl Record<'_> {
    fn values(&self) -> impl Iterator<Item = (&str, Scalar<'_>)> {
        let names = self.fields.iter().map(|field| field.name().as_str());
        names.zip(self.columns.iter().map(|column| scalar(column, self.row)))
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (name, value) in self.values() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

// Rows are written by hand above, in the order of the columns; this is their published shape.
/// The answer to one query.
#[derive(Serialize, JsonSchema)]
struct AnswerDocument {
    /// Columns in order.
    columns: Vec<ColumnHead>,
    /// One object per row, by column name: NULL is null, integers and floats are numbers, decimals, dates and times text.
    rows: Vec<BTreeMap<String, serde_json::Value>>,
    /// What is said about the result as a whole.
    notices: Vec<String>,
    /// What to ask instead, so that fewer values are suppressed: the same whatever the data are.
    rewrites: Vec<Rewrite>,
}

/// Name and type of a column.
#[derive(Debug, Serialize, JsonSchema)]
struct ColumnHead {
    /// Name in the query.
    name: String,
    /// Arrow's name of the type.
    r#type: String,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = |field: &Arc<arrow::datatypes::Field>| ColumnHead {
            name: field.name().clone(),
            r#type: field.data_type().to_string(),
        };
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry(
            "columns",
            &self.schema.fields().iter().map(head).collect::<Vec<_>>(),
        )?;
        map.serialize_entry("rows", &self.records().collect::<Vec<_>>())?;
        map.serialize_entry("notices", &self.notices())?;
        map.serialize_entry("rewrites", &self.rewrites())?;
        map.end()
    }
}

impl JsonSchema for Answer {
    fn schema_name() -> Cow<'static, str> {
        "Answer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> JsonSchemaDocument {
        AnswerDocument::json_schema(generator)
    }
}

impl Shown for Answer {
    const KIND: &'static str = "answer";

    fn view(&self) -> View {
        let headings = self
            .schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let row = |record: Record<'_>| record.values().map(|(_, value)| value.cell()).collect();
        View::grid(Grid {
            title: String::new(),
            headings,
            rows: self.records().map(row).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;
    use arrow::array::{Date32Array, Decimal128Array, Int64Array, StringArray};
    use arrow::datatypes::Field;

    fn answer() -> Answer {
        let notices = r#"["rare groups are not shown"]"#;
        let schema = Schema::new(vec![
            Field::new("month", DataType::Date32, true),
            Field::new("n", DataType::Int64, true),
            Field::new("cost", DataType::Decimal128(38, 2), true),
            Field::new(DISCLOSURE, DataType::Utf8, false),
        ]);
        let rewrites = r#"[{"what":"by quarter","replace":"month","by":"q","add":"","against":["threshold"]},
            {"what":"count people","replace":"max(n)","by":"","add":"","against":["extreme"]}]"#;
        let rules = r#"{"threshold":"fewer than 10 people stand behind it","extreme":"somebody's own"}"#;
        let metadata = [(NOTICES, notices), (REWRITES, rewrites), (RULES, rules)];
        let metadata = metadata.map(|(key, text)| (key.to_owned(), text.to_owned()));
        let schema = Arc::new(schema.with_metadata(metadata.into()));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(vec![0, 31])),
            Arc::new(Int64Array::from(vec![Some(120), None])),
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), None])
                    .with_precision_and_scale(38, 2)
                    .unwrap(),
            ),
            Arc::new(StringArray::from(vec![
                "",
                "n: suppressed (threshold); cost: suppressed (threshold)",
            ])),
        ];
        let mut answer = Answer::new(Arc::clone(&schema));
        answer.push(RecordBatch::try_new(schema, columns).unwrap());
        answer
    }

    #[test]
    fn a_suppressed_value_is_null_in_every_format() {
        let csv = printed(&answer(), Format::Csv);
        let expected = "month,n,cost,disclosure\n1970-01-01,120,123.45,\"\"\n\
            1970-02-01,,,n: suppressed (threshold); cost: suppressed (threshold)\n";
        assert_eq!(csv, expected);
        let json: serde_json::Value = serde_json::from_str(&printed(&answer(), Format::Json)).unwrap();
        assert_eq!(json.pointer("/rows/1/n"), Some(&serde_json::Value::Null));
        assert_eq!(json.pointer("/rows/0/cost"), Some(&"123.45".into()));
        assert_eq!(json.pointer("/kind"), Some(&"answer".into()));
    }

    #[test]
    fn suppression_is_counted_and_notices_are_read() {
        assert_eq!((answer().rows(), answer().suppressed_rows()), (2, 1));
        assert_eq!(answer().notices(), ["rare groups are not shown"]);
    }

    #[test]
    fn what_to_ask_instead_is_told_against_what_was_done() {
        assert_eq!(answer().instead(), ["by quarter"]);
        assert_eq!(
            answer().meanings(),
            ["threshold: fewer than 10 people stand behind it"]
        );
        let empty = Answer::new(Arc::clone(&answer().schema));
        assert_eq!(empty.instead(), ["by quarter", "count people"]);
    }

    #[test]
    fn the_disclosure_column_can_be_left_out() {
        let bare = answer().without_disclosure();
        assert!(!bare.is_disclosed() && bare.notices().len() == 1);
        assert!(printed(&bare, Format::Csv).starts_with("month,n,cost\n"));
    }
}
