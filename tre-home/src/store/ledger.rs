//! The ledger: what every exit has let out, sealed, in the order in which it left.
//!
//! One row is one answer, so that a crash leaves all of its cells or none. Rows are sealed with a key of the vault and
//! their number as context: a row that was altered, moved or taken out of the middle is noticed when the ledger is
//! read, and then nothing may leave. Rows cut off at the end are not noticed here; the audit log holds an entry of
//! each answer.

use serde::{Deserialize, Serialize};
use tre_core::ids::{ProjectId, RequestId};
use tre_core::ledger::Answer;

use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::STORE_LEDGER;
use crate::vault::Vault;

const TABLE: &str = "ledger";
const DRAFTS: &str = "ledger_draft";

/// Purposes of the vault's keys.
const SEAL: &str = "ledger";
const SEAL_DRAFT: &str = "ledger-draft";

/// Answers that are read at once.
const PAGE: i64 = 64;

/// The table of what has left.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'s> {
    pub(super) store: &'s Store,
}

/// What will be remembered of a request's frozen bytes if they leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The cells.
    pub answer: Answer,
    /// Number of answers that they were compared with.
    pub seen: u64,
}

impl Ledger<'_> {
    /// Appends answer number `seq`; durable when the call returns.
    ///
    /// # Errors
    /// When there is one of this number, or the vault or the database fails.
    pub async fn append(&self, vault: &Vault, seq: u64, answer: &Answer) -> Result<(), StoreError> {
        let sealed = seal(vault, SEAL, &seq.to_le_bytes(), answer)?;
        let mut transaction = self.store.begin().await?;
        sqlx::query("insert into ledger (seq, sealed) values (?, ?)")
            .bind(number(seq)?)
            .bind(sealed)
            .execute(&mut *transaction)
            .await?;
        STORE_LEDGER.wait(transaction.commit()).await?;
        Ok(())
    }

    /// Hands over every answer, in order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when one is missing or is not what was appended.
    pub async fn read(&self, vault: &Vault, mut take: impl FnMut(Answer)) -> Result<(), StoreError> {
        let mut next = 1_u64;
        loop {
            let rows = sqlx::query("select seq, sealed from ledger where seq >= ? order by seq limit ?")
                .bind(number(next)?)
                .bind(PAGE)
                .fetch_all(&self.store.pool)
                .await?;
            if rows.is_empty() {
                return self.nothing_before().await;
            }
            let read = |row: &Row<'_>| Ok((row.number("seq")?, row.bytes("sealed")?));
            for (seq, sealed) in all(TABLE, &rows, read)? {
                if u64::try_from(seq) != Ok(next) {
                    return Err(corrupt(TABLE, "seq"));
                }
                take(open(vault, TABLE, SEAL, &next.to_le_bytes(), &sealed)?);
                next += 1;
            }
        }
    }

    /// Numbers begin with 1.
    async fn nothing_before(&self) -> Result<(), StoreError> {
        let (before,): (i64,) = sqlx::query_as("select count(*) from ledger where seq < 1")
            .fetch_one(&self.store.pool)
            .await?;
        if before == 0 {
            Ok(())
        } else {
            Err(corrupt(TABLE, "seq"))
        }
    }

    /// Remembers the draft of a request that is about to be submitted.
    ///
    /// # Errors
    /// When the request has one, or the vault or the database fails.
    pub async fn keep_draft(
        &self,
        vault: &Vault,
        request: &RequestId,
        project: &ProjectId,
        draft: &Draft,
    ) -> Result<(), StoreError> {
        let sealed = seal(vault, SEAL_DRAFT, request.as_str().as_bytes(), draft)?;
        let mut transaction = self.store.begin().await?;
        sqlx::query("insert into ledger_draft (request, project, sealed) values (?, ?, ?)")
            .bind(request.as_str())
            .bind(project.as_str())
            .bind(sealed)
            .execute(&mut *transaction)
            .await?;
        STORE_LEDGER.wait(transaction.commit()).await?;
        Ok(())
    }

    /// The draft of a request, if it has one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is not what was kept.
    pub async fn draft(&self, vault: &Vault, request: &RequestId) -> Result<Option<Draft>, StoreError> {
        let row = sqlx::query("select sealed from ledger_draft where request = ?")
            .bind(request.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        let sealed = one(DRAFTS, row.as_ref(), |row| row.bytes("sealed"))?;
        sealed
            .map(|sealed| open(vault, DRAFTS, SEAL_DRAFT, request.as_str().as_bytes(), &sealed))
            .transpose()
    }
}

fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

/// SQLite's integers are signed.
fn number(seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| corrupt(TABLE, "seq"))
}

fn seal<T: Serialize>(
    vault: &Vault,
    purpose: &str,
    context: &[u8],
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value).map_err(|error| StoreError::Sealing(error.to_string()))?;
    let sealed = vault.seal(purpose, context, &json);
    sealed.map_err(|error| StoreError::Sealing(error.to_string()))
}

fn open<T: for<'de> Deserialize<'de>>(
    vault: &Vault,
    table: &'static str,
    purpose: &str,
    context: &[u8],
    sealed: &[u8],
) -> Result<T, StoreError> {
    let opened = vault.open_sealed(purpose, context, sealed);
    let opened = opened.map_err(|_| corrupt(table, "sealed"))?;
    serde_json::from_slice(&opened).map_err(|_| corrupt(table, "sealed"))
}
