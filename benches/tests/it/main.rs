//! The benchmark measures two ways to the same values: that they are the same, on fewer rows and without a clock.

use anyhow::{Context, Result};
use tre_benches::workload::checked::Session;
use tre_benches::workload::convert::convert;
use tre_benches::workload::holder::Holder;
use tre_benches::workload::queries::QUERIES;
use tre_benches::workload::raw::{Raw, decrypt};
use tre_benches::workload::sorted_rows;
use tre_benches::workload::stored::Stored;

/// Claims; there is a person for every 20.
const CLAIMS: u64 = 1_000_000;

#[test]
fn all_queries_have_the_values_of_the_raw_engine_before_treatment() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (files, plain) = (directory.path().join("holder"), directory.path().join("plain"));
    std::fs::create_dir(&files)?;
    let holder = Holder::generate(&files, 1, CLAIMS)?;
    assert!(convert(&holder, &files)? > 0);
    let stored = Stored::ingest(Stored::home(&directory.path().join("home"))?, &holder)?;
    assert_eq!(
        stored.manifest.tables.iter().map(|table| table.rows).sum::<u64>(),
        holder.rows
    );

    decrypt(&stored, &plain)?;
    let raw = Raw::open(&stored, &plain, 2)?;
    let mut session = Session::open(&stored, 2)?;
    for query in &QUERIES {
        let expected = sorted_rows(&raw.answer(query.sql).context(query.name)?)?;
        let found = sorted_rows(&session.untreated(query.sql).context(query.name)?)?;
        assert!(!expected.is_empty(), "{}: no group", query.name);
        assert_eq!(found, expected, "{}", query.name);
        let treated = sorted_rows(&session.answer(query.sql).context(query.name)?)?;
        assert!(!treated.is_empty(), "{}: nothing may be shown", query.name);
    }

    // The comparison finds a single person who is missing on one side.
    let everybody = session.untreated("SELECT count(*), count(distinct pid) FROM claims")?;
    let all_but_one = raw.answer("SELECT count(*), count(distinct pid) FROM claims WHERE pid <> 7")?;
    assert_ne!(sorted_rows(&everybody)?, sorted_rows(&all_but_one)?);
    Ok(())
}
