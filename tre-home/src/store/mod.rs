//! The store: what the server must remember between two calls, in SQLite.
//!
//! One file per table, plain structs as rows, ids of tre-core as types. Every change is one transaction, durable when the
//! call returns (write-ahead log, `synchronous = FULL`). Changes of state compare and set: they name the state that
//! they start from and tell whether it was still so; who loses a race hears it.
//!
//! Deleted content is overwritten (`secure_delete`), and the write-ahead log is emptied after a project is closed, so that
//! its key and drafts are gone from the files.
//!
//! What the store does not know: which transitions are allowed, who may do what, any data of people.

mod insights;
mod integrity;
mod ledger;
mod projects;
mod releases;
mod requests;
mod reviews;
mod row;
mod sessions;
mod tokens;

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tre_core::codes::{HOME_STORE, Problem};

pub use insights::{Insight, Insights};
pub use ledger::{Draft, Ledger};
pub use projects::{Closed, PinnedPolicy, Project, Projects};
pub use releases::{Release, Releases};
pub use requests::{Move, Request, RequestEvent, Requests};
pub use reviews::{Review, Reviews};
pub use sessions::{Session, Sessions};
pub use tokens::{Token, Tokens};

use crate::files::{self, FileError, PRIVATE_FILE};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// Readers beside one writer; the server's calls are short.
const CONNECTIONS: u32 = 4;
const BUSY: Duration = Duration::from_secs(10);

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the store: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables are not those of this program.
    #[error("the store's tables: {0}")]
    Tables(#[from] sqlx::migrate::MigrateError),
    /// A value is none that this program writes.
    #[error("the store is damaged: `{table}.{column}` holds what was not written by this program")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// In which column.
        column: &'static str,
    },
    /// What was deleted could not be removed from the write-ahead log yet; it is when the store is next opened.
    #[error("the store is busy: what was deleted is not yet overwritten")]
    NotScrubbed,
    /// What is to be remembered cannot be sealed.
    #[error("the ledger cannot be sealed: {0}")]
    Sealing(String),
    /// The database file cannot be created.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::File(error) => error.into(),
            StoreError::Database(_)
            | StoreError::Tables(_)
            | StoreError::Corrupt { .. }
            | StoreError::Sealing(_)
            | StoreError::NotScrubbed => Problem::of(&HOME_STORE, error.to_string()),
        }
    }
}

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Makes the database of a new home.
    pub(crate) async fn create(path: &Path) -> Result<(), StoreError> {
        // SQLite gives its other files the mode of this one.
        files::write_new(path, b"", PRIVATE_FILE)?;
        files::sync_dir(files::parent(path))?;
        let store = Store::open(path).await?;
        store.close().await;
        Ok(())
    }

    /// Opens the database, brings its tables up to date and finishes what a crash left undone.
    pub(crate) async fn open(path: &Path) -> Result<Store, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("secure_delete", "on")
            .pragma("trusted_schema", "off");
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await?;
        let store = Store { pool };
        MIGRATIONS.run(&store.pool).await?;
        store.scrub().await?;
        Ok(store)
    }

    /// Projects with their permits, grants, policies and keys.
    pub fn projects(&self) -> Projects<'_> {
        Projects { store: self }
    }

    /// Tokens that were issued.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { store: self }
    }

    /// Sessions, for listing.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { store: self }
    }

    /// Requests with their frozen bytes and history.
    pub fn requests(&self) -> Requests<'_> {
        Requests { store: self }
    }

    /// What reviewers see beside the frozen bytes.
    pub fn insights(&self) -> Insights<'_> {
        Insights { store: self }
    }

    /// Votes on requests.
    pub fn reviews(&self) -> Reviews<'_> {
        Reviews { store: self }
    }

    /// What was released.
    pub fn releases(&self) -> Releases<'_> {
        Releases { store: self }
    }

    /// What has left, sealed.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger { store: self }
    }

    /// What is wrong with the database; nothing if it is sound. Reads all of it.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        integrity::check(self).await
    }

    /// Closes all connections of all clones, waiting for calls that run.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that writes: it waits for another's at its beginning and cannot fail for that later.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("begin immediate").await?)
    }

    /// Empties the write-ahead log, so that overwritten content is in no file.
    async fn scrub(&self) -> Result<(), StoreError> {
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("pragma wal_checkpoint(truncate)")
            .fetch_one(&self.pool)
            .await?;
        if busy == 0 {
            Ok(())
        } else {
            Err(StoreError::NotScrubbed)
        }
    }
}
