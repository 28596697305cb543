//! Pseudonyms of entities: how a stored dense number is shown to one project.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::UInt32Type;
use datafusion::error::{DataFusionError, Result};
use ring::hmac;

use tre_core::ids::{EntityKind, base32_lower};

/// Base32 characters of a pseudonym: 50 bits. Among 100,000 entities of a kind, two share one with probability 4e-6.
const LENGTH: usize = 10;

/// The project's pseudonyms: `<kind>-` and the first 50 bits of HMAC-SHA-256(project key, kind, 0, number).
pub(super) struct Pseudonyms {
    key: hmac::Key,
    known: Mutex<HashMap<(EntityKind, u32), Arc<str>>>,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(…)")
    }
}

impl Pseudonyms {
    /// The pseudonyms under a project's key.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Pseudonyms {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            known: Mutex::default(),
        }
    }

    /// A column of stored numbers as text.
    ///
    /// # Errors
    /// When the column is not one of stored numbers.
    pub(super) fn show(&self, kind: &EntityKind, numbers: &ArrayRef) -> Result<ArrayRef> {
        let numbers = numbers.as_primitive_opt::<UInt32Type>().ok_or_else(|| {
            DataFusionError::Execution("an entity column holds no entity numbers".to_owned())
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = StringBuilder::with_capacity(numbers.len(), numbers.len() * (LENGTH + 10));
        for row in 0..numbers.len() {
            if numbers.is_null(row) {
                text.append_null();
                continue;
            }
            let number = numbers.value(row);
            let pseudonym = known
                .entry((kind.clone(), number))
                .or_insert_with(|| self.pseudonym(kind, number));
            text.append_value(&**pseudonym);
        }
        Ok(Arc::new(text.finish()))
    }

    fn pseudonym(&self, kind: &EntityKind, number: u32) -> Arc<str> {
        let mut input = kind.as_str().as_bytes().to_vec();
        input.push(0);
        input.extend(number.to_be_bytes());
        let mut name = base32_lower(hmac::sign(&self.key, &input).as_ref());
        name.truncate(LENGTH);
        format!("{kind}-{name}").into()
    }
}
