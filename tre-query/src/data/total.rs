//! Arithmetic that cannot fail: overflow and division by zero are NULL.
//!
//! The engine's own operators wrap (integers) or raise an error (decimals, division). A wrapped sum is wrong, and an
//! error is an answer about somebody's row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use tre_core::algebra::Arithmetic;
use tre_core::types::{ColumnType, DECIMAL_PRECISION};

/// Largest magnitude of a decimal of 38 digits.
const DECIMAL_MAX: i128 = 10_i128.pow(DECIMAL_PRECISION as u32) - 1;

/// A total operator whose result has the given type.
pub(super) fn arithmetic(op: Arithmetic, result: ColumnType) -> ScalarUDF {
    let signature = Signature::any(2, Volatility::Immutable);
    ScalarUDF::from(Total {
        op,
        result,
        signature,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Total {
    op: Arithmetic,
    result: ColumnType,
    signature: Signature,
}

impl ScalarUDFImpl for Total {
    fn name(&self) -> &str {
        match self.op {
            Arithmetic::Add => "total_add",
            Arithmetic::Subtract => "total_subtract",
            Arithmetic::Multiply => "total_multiply",
            Arithmetic::Divide => "total_divide",
            Arithmetic::Modulo => "total_modulo",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(self.result.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [a, b] = arrays.as_slice() else {
            return Err(DataFusionError::Internal(
                "arithmetic takes two arguments".to_owned(),
            ));
        };
        let (a, b) = (Numbers::new(a)?, Numbers::new(b)?);
        // Columnar values of scalars alone have one row.
        let rows = if a.len() == rows || b.len() == rows {
            rows
        } else {
            a.len()
        };
        let compute = |row: usize| -> Option<i128> { self.apply(a.at(row)?, b.at(row)?, a.scale, b.scale) };
        let array: ArrayRef = match self.result {
            ColumnType::Decimal { scale } => Arc::new(
                (0..rows)
                    .map(|row| compute(row).filter(|v| (-DECIMAL_MAX..=DECIMAL_MAX).contains(v)))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(DECIMAL_PRECISION, scale as i8)
                    .map_err(super::files::arrow_error)?,
            ),
            ColumnType::Int
            | ColumnType::Bool
            | ColumnType::Text
            | ColumnType::Date
            | ColumnType::Timestamp => Arc::new(
                (0..rows)
                    .map(|row| compute(row).and_then(|v| i64::try_from(v).ok()))
                    .collect::<Int64Array>(),
            ),
        };
        Ok(ColumnarValue::Array(array))
    }
}

impl Total {
    /// The result, unscaled, `None` where there is none.
    fn apply(&self, a: i128, b: i128, a_scale: u32, b_scale: u32) -> Option<i128> {
        let scale = a_scale.max(b_scale);
        let rescaled = |v: i128, from: u32| {
            10_i128
                .checked_pow(scale - from)
                .and_then(|ten| v.checked_mul(ten))
        };
        match self.op {
            Arithmetic::Add => rescaled(a, a_scale)?.checked_add(rescaled(b, b_scale)?),
            Arithmetic::Subtract => rescaled(a, a_scale)?.checked_sub(rescaled(b, b_scale)?),
            Arithmetic::Multiply => a.checked_mul(b),
            Arithmetic::Divide => a.checked_div(b),
            Arithmetic::Modulo => a.checked_rem(b),
        }
    }
}

/// An integer or decimal column.
struct Numbers<'a> {
    integers: Option<&'a Int64Array>,
    decimals: Option<&'a Decimal128Array>,
    scale: u32,
}

impl<'a> Numbers<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self> {
        let integers = array.as_primitive_opt::<Int64Type>();
        let decimals = array.as_primitive_opt::<Decimal128Type>();
        let scale = decimals.map_or(Ok(0), |decimals| u32::try_from(decimals.scale()));
        match (integers.is_some() || decimals.is_some(), scale) {
            (true, Ok(scale)) => Ok(Numbers {
                integers,
                decimals,
                scale,
            }),
            _ => Err(DataFusionError::Internal(format!(
                "arithmetic over {}",
                array.data_type()
            ))),
        }
    }

    fn len(&self) -> usize {
        self.integers
            .map_or_else(|| self.decimals.map_or(0, Array::len), Array::len)
    }

    fn at(&self, row: usize) -> Option<i128> {
        match (self.integers, self.decimals) {
            (Some(a), _) if row < a.len() && a.is_valid(row) => Some(i128::from(a.value(row))),
            (_, Some(a)) if row < a.len() && a.is_valid(row) => Some(a.value(row)),
            _ => None,
        }
    }
}
