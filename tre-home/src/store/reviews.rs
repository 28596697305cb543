//! Votes on requests, one per reviewer.

use jiff::Timestamp;
use tre_core::ids::{RequestId, UserName};

use super::row::all;
use super::{Store, StoreError};
use crate::failpoint::STORE_REVIEW;

/// One vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// On which request.
    pub request: RequestId,
    /// Whose.
    pub reviewer: UserName,
    /// As [`tre_core::request`] names it.
    pub vote: String,
    /// In the reviewer's words; may be empty.
    pub comment: String,
    /// When.
    pub at: Timestamp,
    /// Hash of the bytes that the reviewer saw.
    pub output_sha256: String,
}

/// The table of votes.
#[derive(Debug, Clone, Copy)]
pub struct Reviews<'s> {
    pub(super) store: &'s Store,
}

impl Reviews<'_> {
    /// Remembers a vote. Returns false, with nothing changed, if the request is not in `state`, its bytes are not those that
    /// the vote names, the reviewer is its author, or has voted on it before.
    pub async fn vote(&self, review: &Review, state: &str) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let inserted = sqlx::query(
            "insert into review (request, reviewer, vote, comment, at, output_sha256)
             select ?1, ?2, ?3, ?4, ?5, ?6
             where exists (select 1 from request
                           where id = ?1 and state = ?7 and output_sha256 = ?6 and author <> ?2)
             on conflict do nothing",
        )
        .bind(review.request.as_str())
        .bind(review.reviewer.as_str())
        .bind(&review.vote)
        .bind(&review.comment)
        .bind(review.at.to_string())
        .bind(&review.output_sha256)
        .bind(state)
        .execute(&mut *transaction)
        .await?;
        STORE_REVIEW.wait(transaction.commit()).await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// All votes on a request, in the order in which they were cast.
    pub async fn of(&self, request: &RequestId) -> Result<Vec<Review>, StoreError> {
        let rows = sqlx::query("select * from review where request = ? order by rowid")
            .bind(request.as_str())
            .fetch_all(&self.store.pool)
            .await?;
        all("review", &rows, |row| {
            Ok(Review {
                request: row.parsed("request")?,
                reviewer: row.parsed("reviewer")?,
                vote: row.text("vote")?,
                comment: row.text("comment")?,
                at: row.parsed("at")?,
                output_sha256: row.text("output_sha256")?,
            })
        })
    }
}
