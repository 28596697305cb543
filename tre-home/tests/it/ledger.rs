//! The ledger: whole answers in order, or an error.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tre_core::ids::{QueryId, RequestId};
use tre_core::ledger::{Answer, Cell, Digest, Measure, Part, Question};
use tre_core::permit::ExitName;
use tre_core::sketch::{Shares, SketchShape, Sketcher, UnitSet};
use tre_core::status::StatusCode;
use tre_home::Home;
use tre_home::store::{Closed, Draft, Store, StoreError};

use crate::scene::{self, at, project, request, user};

/// An answer of as many cells, each over three people; `n` tells answers apart.
pub(crate) fn answer(n: u8, cells: u32) -> Answer {
    let sketcher = Sketcher::new(&[5; 32], SketchShape::for_minimum(10));
    let set = |cell: u32| {
        let mut set = UnitSet::empty(sketcher.shape());
        (0..3).for_each(|i| set.add(&sketcher.vector(3 * cell + i)));
        set
    };
    let cell = |number: u32| Cell {
        group: Digest::of(&number.to_le_bytes()),
        set: number,
        measure: Measure::People,
        shares: Shares::default(),
        when: None,
        row_per_unit: true,
        status: StatusCode::SHOWN,
        value: Some(3),
        scale: 0,
    };
    Answer {
        query: QueryId::from_random([n; 10]),
        project: "liver-outcomes".parse().unwrap(),
        user: user("alice"),
        exit: ExitName::View,
        at: at(8),
        refused: false,
        parts: vec![Part {
            population: "clinic".parse().unwrap(),
            question: Question {
                plan: Digest::of(b"plan"),
                keys: Digest::of(b"keys"),
                keys_part_rows: true,
                tables: BTreeSet::new(),
                sensitive: BTreeSet::new(),
            },
            minimum: 10,
            sets: (0..cells).map(set).collect(),
            cells: (0..cells).map(cell).collect(),
        }],
    }
}

async fn read(home: &Home, store: &Store) -> Result<Vec<Answer>, StoreError> {
    let mut answers = Vec::new();
    store
        .ledger()
        .read(home.vault(), |answer| answers.push(answer))
        .await?;
    Ok(answers)
}

/// Every answer of the scene that was told to be durable is there, whole.
pub(crate) fn assert_whole(home: &Home) {
    scene::wait(async {
        let store = home.store().await.unwrap();
        let answers = read(home, &store).await.unwrap();
        for (n, found) in (1..).zip(&answers) {
            assert_eq!(found, &answer(n, 2));
        }
        store.close().await;
    });
}

/// Does something to the database that this program never does.
async fn execute(database: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn tamper(sql: &'static str) -> Result<Vec<Answer>, StoreError> {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        for n in 1..=100 {
            store
                .ledger()
                .append(home.vault(), u64::from(n), &answer(n, 2))
                .await
                .unwrap();
        }
        store.close().await;
        execute(&home.layout().database(), sql).await;
        read(&home, &home.store().await.unwrap()).await
    })
}

#[test]
fn answers_are_read_whole_and_in_order() {
    let answers = tamper("select 1").unwrap();
    assert_eq!(answers, (1..=100).map(|n| answer(n, 2)).collect::<Vec<_>>());
}

#[test]
fn what_was_altered_moved_or_taken_out_is_noticed() {
    for (case, sql) in [
        ("taken out", "delete from ledger where seq = 50"),
        ("the first taken out", "delete from ledger where seq = 1"),
        ("moved", "update ledger set seq = 101 where seq = 100"),
        (
            "one in place of another",
            "update ledger set sealed = (select sealed from ledger where seq = 7) where seq = 8",
        ),
        (
            "altered",
            "update ledger set sealed = zeroblob(length(sealed)) where seq = 64",
        ),
        (
            "one before the first",
            "insert into ledger (seq, sealed) select 0, sealed from ledger where seq = 1",
        ),
    ] {
        let read = tamper(sql);
        assert!(
            matches!(read, Err(StoreError::Corrupt { table: "ledger", .. })),
            "{case}: {read:?}"
        );
    }
}

#[test]
fn of_two_answers_with_one_number_the_second_is_refused() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let ledger = store.ledger();
        ledger.append(home.vault(), 1, &answer(1, 2)).await.unwrap();
        assert!(ledger.append(home.vault(), 1, &answer(2, 2)).await.is_err());
        assert_eq!(read(&home, &store).await.unwrap(), [answer(1, 2)]);
    });
}

#[test]
fn another_home_cannot_read_it_and_no_value_stands_in_the_clear() {
    let (directory, other) = (scene::new_home(), scene::another_home());
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        store
            .ledger()
            .append(home.vault(), 1, &answer(1, 2))
            .await
            .unwrap();
        store.close().await;
    });
    for text in ["liver-outcomes", "people", "alice"] {
        assert!(
            !crate::store::on_disk(directory.path(), text.as_bytes()),
            "{text}"
        );
    }
    let foreign = scene::open(other.path());
    std::fs::copy(home.layout().database(), foreign.layout().database()).unwrap();
    let read = scene::wait(async { read(&foreign, &foreign.store().await.unwrap()).await });
    assert!(read.is_err());
}

#[test]
fn a_draft_lives_as_long_as_its_project() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let project = project(&home, "one");
        assert!(store.projects().apply(&project).await.unwrap());
        let id = request(&project, 1).id;
        let draft = Draft {
            answer: answer(1, 2),
            seen: 7,
        };
        let ledger = store.ledger();
        ledger
            .keep_draft(home.vault(), &id, &project.id, &draft)
            .await
            .unwrap();
        assert_eq!(ledger.draft(home.vault(), &id).await.unwrap(), Some(draft));
        let other = RequestId::from_random([9; 10]);
        assert_eq!(ledger.draft(home.vault(), &other).await.unwrap(), None);
        let end = Closed {
            at: at(7),
            by: user("olga"),
            reason: "over".to_owned(),
        };
        assert!(store.projects().close(&project.id, &end).await.unwrap());
        assert_eq!(ledger.draft(home.vault(), &id).await.unwrap(), None);
    });
}
