//! Requests for a release: what is asked for, the bytes as they were frozen, and the way through the states.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use tre_core::ids::{ProjectId, RequestId, UserName};

use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::STORE_REQUEST;

const TABLE: &str = "request";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The project whose data it is about.
    pub project: ProjectId,
    /// Who asks; they never review it.
    pub author: UserName,
    /// Exit of the permit through which it is to leave.
    pub exit: String,
    /// In the author's words.
    pub title: String,
    /// What reviewers need to know, in the author's words.
    pub context: String,
    /// The query.
    pub sql: String,
    /// Its state, as [`tre_core::request`] names it.
    pub state: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// The frozen treated bytes; none once they were destroyed with the project.
    pub output: Option<Vec<u8>>,
    /// Hash of them.
    pub output_sha256: String,
    /// The SDC record, JSON; none once it was destroyed with the project.
    pub record: Option<String>,
    /// Hash of it.
    pub record_sha256: String,
}

/// A step from one state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move<'m> {
    /// The state in which the request must be.
    pub from: &'m str,
    /// The state in which it is then.
    pub to: &'m str,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: &'m UserName,
    /// Why, in their words; may be empty.
    pub note: &'m str,
}

/// A step that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEvent {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: UserName,
    /// The state before; empty when it was submitted.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Why, in their words; may be empty.
    pub note: String,
}

/// The table of requests.
#[derive(Debug, Clone, Copy)]
pub struct Requests<'s> {
    pub(super) store: &'s Store,
}

impl Requests<'_> {
    /// Remembers a new request with its first event. Returns false if its project is not open.
    pub async fn submit(&self, request: &Request) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let inserted = sqlx::query(
            "insert into request (id, project, author, exit, title, context, sql, state, submitted_at,
                                  output, output_sha256, record, record_sha256)
             select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
             where exists (select 1 from project where id = ?2 and state = 'open')",
        )
        .bind(request.id.as_str())
        .bind(request.project.as_str())
        .bind(request.author.as_str())
        .bind(&request.exit)
        .bind(&request.title)
        .bind(&request.context)
        .bind(&request.sql)
        .bind(&request.state)
        .bind(request.submitted_at.to_string())
        .bind(&request.output)
        .bind(&request.output_sha256)
        .bind(&request.record)
        .bind(&request.record_sha256)
        .execute(&mut *transaction)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        let first = Move {
            from: "",
            to: &request.state,
            at: request.submitted_at,
            actor: &request.author,
            note: "",
        };
        event(&mut transaction, &request.id, &first).await?;
        STORE_REQUEST.wait(transaction.commit()).await?;
        Ok(true)
    }

    /// A request by id, with its frozen bytes.
    pub async fn get(&self, id: &RequestId) -> Result<Option<Request>, StoreError> {
        let row = sqlx::query("select * from request where id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        one(TABLE, row.as_ref(), read)
    }

    /// All requests, of one project if one is given, the latest first; without their bytes and records.
    pub async fn list(&self, project: Option<&ProjectId>) -> Result<Vec<Request>, StoreError> {
        let rows = sqlx::query(
            "select id, project, author, exit, title, context, sql, state, submitted_at,
                    null as output, output_sha256, null as record, record_sha256
             from request where ?1 is null or project = ?1 order by submitted_at desc, id",
        )
        .bind(project.map(ProjectId::as_str))
        .fetch_all(&self.store.pool)
        .await?;
        all(TABLE, &rows, read)
    }

    /// Compares and sets the state, with an event. Returns false, with nothing changed, if the request is not (any longer)
    /// in the state that the step starts from.
    pub async fn transition(&self, id: &RequestId, step: &Move<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        if !compare_and_set(&mut transaction, id, step).await? {
            return Ok(false);
        }
        STORE_REQUEST.wait(transaction.commit()).await?;
        Ok(true)
    }

    /// What happened to a request, in order.
    pub async fn events(&self, id: &RequestId) -> Result<Vec<RequestEvent>, StoreError> {
        let rows = sqlx::query("select * from request_event where request = ? order by id")
            .bind(id.as_str())
            .fetch_all(&self.store.pool)
            .await?;
        all("request_event", &rows, |row| {
            Ok(RequestEvent {
                at: row.parsed("at")?,
                actor: row.parsed("actor")?,
                from: row.text("from_state")?,
                to: row.text("to_state")?,
                note: row.text("note")?,
            })
        })
    }
}

/// The step and its event, as part of a transaction.
pub(super) async fn compare_and_set(
    transaction: &mut Transaction<'static, Sqlite>,
    id: &RequestId,
    step: &Move<'_>,
) -> Result<bool, StoreError> {
    let moved = sqlx::query("update request set state = ? where id = ? and state = ?")
        .bind(step.to)
        .bind(id.as_str())
        .bind(step.from)
        .execute(&mut **transaction)
        .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    event(transaction, id, step).await?;
    Ok(true)
}

async fn event(
    transaction: &mut Transaction<'static, Sqlite>,
    id: &RequestId,
    step: &Move<'_>,
) -> Result<(), StoreError> {
    sqlx::query("insert into request_event (request, at, actor, from_state, to_state, note) values (?, ?, ?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(step.at.to_string())
        .bind(step.actor.as_str())
        .bind(step.from)
        .bind(step.to)
        .bind(step.note)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Request, StoreError> {
    Ok(Request {
        id: row.parsed("id")?,
        project: row.parsed("project")?,
        author: row.parsed("author")?,
        exit: row.text("exit")?,
        title: row.text("title")?,
        context: row.text("context")?,
        sql: row.text("sql")?,
        state: row.text("state")?,
        submitted_at: row.parsed("submitted_at")?,
        output: row.maybe_bytes("output")?,
        output_sha256: row.text("output_sha256")?,
        record: row.maybe_text("record")?,
        record_sha256: row.text("record_sha256")?,
    })
}
