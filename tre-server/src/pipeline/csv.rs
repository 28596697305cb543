//! The CSV of a released file: RFC 4180 with a header and LF. NULL is an empty field and empty text is `""`, as in holders'
//! files and in `tre sql --format csv`, so that the two can be told apart.

use std::borrow::Cow;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Rows of one schema as text: integers and decimals with all their digits, dates and times in ISO 8601.
///
/// # Errors
/// When a type of the schema has no text.
pub(super) fn text(schema: &Schema, batches: &[RecordBatch]) -> Result<String, ArrowError> {
    let mut out = String::new();
    let names = schema.fields().iter().map(|field| Ok(quoted(field.name())));
    line(&mut out, names)?;
    let options = FormatOptions::default();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let fields = batch.columns().iter().zip(&columns).map(|(column, formatter)| {
                if column.is_null(row) {
                    return Ok(Cow::Borrowed(""));
                }
                let value = formatter.value(row).try_to_string()?;
                Ok(Cow::Owned(quoted(&value).into_owned()))
            });
            line(&mut out, fields)?;
        }
    }
    Ok(out)
}

fn line<'f>(
    out: &mut String,
    fields: impl Iterator<Item = Result<Cow<'f, str>, ArrowError>>,
) -> Result<(), ArrowError> {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&field?);
    }
    out.push('\n');
    Ok(())
}

fn quoted(text: &str) -> Cow<'_, str> {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn null_and_empty_text_differ_and_values_keep_their_digits() {
        let decimal = Decimal128Array::from(vec![Some(1250), None])
            .with_precision_and_scale(10, 2)
            .unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(vec![Some(7), None]))),
            ("cost, total", Arc::new(decimal)),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None]))),
            (
                "disclosure",
                Arc::new(StringArray::from(vec!["", "n: \"x\"\nhere"])),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(
            text(&batch.schema(), std::slice::from_ref(&batch)).unwrap(),
            "n,\"cost, total\",day,disclosure\n7,12.50,1970-01-01,\"\"\n,,,\"n: \"\"x\"\"\nhere\"\n"
        );
    }

    #[test]
    fn an_answer_without_rows_has_its_header() {
        let columns: Vec<(&str, ArrayRef)> = vec![("n", Arc::new(Int64Array::from(vec![1])))];
        let schema = RecordBatch::try_from_iter(columns).unwrap().schema();
        assert_eq!(text(&schema, &[]).unwrap(), "n\n");
    }
}
