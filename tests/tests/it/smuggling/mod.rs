//! The table of ways to smuggle one person out (`tests/corpus/smuggling.toml`), tried on two homes that differ in exactly
//! one person.
//!
//! Each query goes the way of a person: `tre sql` to a server that serves the home. What a client can see (exit code,
//! answer, order, statuses, notices, error) is compared byte by byte, and each trick is first tried on a plain engine,
//! where it has to work. Each is tried on homes from which nothing has left, so that it is judged by what it does itself.

mod judge;
mod table;

use std::collections::BTreeSet;
use std::thread;

use anyhow::{Context, Result};
use tre_tests::home::{Home, Token};
use tre_tests::program::Run;
use tre_tests::scenes::{Permit, policy_like};
use tre_tests::server::Server;
use tre_tests::ward;

use judge::Seen;
use table::{File, Trick};

const TABLE: &str = include_str!("../../../corpus/smuggling.toml");

/// As many as are worth the name of a table.
const TRICKS: usize = 90;

/// The policies that entries name, each with a project of its own.
const POLICIES: [&str; 3] = ["ndb", "no-zeros", "ons"];

/// A home at rest with an analyst in a project of each policy, from which nothing has left.
struct Place {
    home: Home,
    analysts: [Token; POLICIES.len()],
}

/// A copy of a place, served.
struct Opened {
    // Before the home: fields are dropped in this order, and a server writes to the end.
    server: Server,
    _home: Home,
}

impl Place {
    fn prepare(home: Home) -> Result<Place> {
        let server = Server::start(&home)?;
        let operator = server.person(&home.token("olga", "operator", None)?);
        let mut analysts = Vec::new();
        for policy in POLICIES {
            let permit = Permit {
                project: policy,
                dataset: "ward",
                tables: &ward::TABLES,
                policy,
                ..Permit::default()
            };
            home.write("permit.toml", permit.text())?;
            operator.tre(&["project", "apply", "permit.toml"])?.ok()?;
            analysts.push(home.token("alice", "analyst", Some(policy))?);
        }
        server.stop()?;
        let analysts = analysts.try_into().ok().context("an analyst for every policy")?;
        Ok(Place { home, analysts })
    }

    fn open(&self) -> Result<Opened> {
        let home = Home::like(&self.home.path())?;
        Ok(Opened {
            server: Server::start(&home)?,
            _home: home,
        })
    }

    /// What becomes of every query of every entry. A copy serves until something has left it: what one trick is
    /// answered must not be in the ledger that the next is compared with.
    fn ask(&self, tricks: &[Trick]) -> Result<Vec<Vec<Run>>> {
        let mut clean = None;
        let mut ask = |trick: &Trick| {
            let opened = match clean.take() {
                Some(opened) => opened,
                None => self.open()?,
            };
            let at = POLICIES.iter().position(|policy| *policy == trick.policy);
            let analyst = at.and_then(|at| self.analysts.get(at));
            let analyst = analyst.with_context(|| format!("no policy `{}`", trick.policy))?;
            let analyst = opened.server.person(analyst);
            let asked = trick.texts().into_iter().map(|sql| analyst.ask(sql));
            let runs = asked.collect::<Result<Vec<Run>>>()?;
            let is_refused = |run: &Run| run.status.code() == Some(1);
            clean = runs.iter().all(is_refused).then_some(opened);
            Ok(runs)
        };
        tricks.iter().map(&mut ask).collect()
    }
}

/// A home with the victim, and a copy from which the victim is gone: keys, projects and everybody's number agree.
fn places() -> Result<[Place; 2]> {
    let with = Home::empty()?;
    let policies = with.path().join("policies/sdc");
    let shipped = std::fs::read_to_string(policies.join("ndb.toml"))?;
    let changes = [("zero    = \"show\"", "zero    = \"suppress\"")];
    std::fs::write(
        policies.join("no-zeros.toml"),
        policy_like(&shipped, "no-zeros", &changes)?,
    )?;
    ward::ingest(&with, true)?;
    let without = Home::like(&with.path())?;
    ward::ingest(&without, false)?;
    Ok([Place::prepare(without)?, Place::prepare(with)?])
}

#[test]
fn nobody_is_smuggled_out() {
    let File { trick: tricks } = toml::from_str(TABLE).unwrap();
    let ids: BTreeSet<&str> = tricks.iter().map(|trick| trick.id.as_str()).collect();
    assert_eq!(ids.len(), tricks.len(), "an id stands twice");
    assert!(tricks.len() >= TRICKS, "{} tricks", tricks.len());

    let places = places().unwrap();
    let (asked, plain) = thread::scope(|scope| {
        let asked = places
            .each_ref()
            .map(|place| scope.spawn(|| place.ask(&tricks).unwrap()));
        let plain = [false, true].map(|with_victim| ward::plain(with_victim).unwrap());
        (asked.map(|thread| thread.join().unwrap()), plain)
    });
    let mut wrong = Vec::new();
    for (nr, trick) in tricks.iter().enumerate() {
        let seen = Seen {
            trick,
            runs: [&asked[0][nr], &asked[1][nr]],
            plain: &plain,
        };
        eprintln!("{}", seen.told());
        if let Err(error) = seen.judge() {
            wrong.push(format!("{} ({}): {error:#}", trick.id, trick.trick));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n\n{}",
        wrong.len(),
        tricks.len(),
        wrong.join("\n\n")
    );
}
