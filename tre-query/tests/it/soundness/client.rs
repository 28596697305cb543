//! The path of one query as a client goes it, from the text to every byte that comes back.
//!
//! It is the path of the server's pipeline without sessions, log and wire: the desk plans, lineage is read, cells are
//! believed and checked, the desk finishes. [`Tamper`] stands between the steps, where mutations pretend that a part is
//! broken; in the property test it changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use output_checker::lineage::{Lineage, lineage};
use output_checker::{Decision, DrawKey, LetOut, check, notices};
use tre_core::algebra::{Frontier, Node};
use tre_core::codes::Problem;
use tre_core::evidence::{BaseCells, CellLayout};
use tre_core::grant::Grant;
use tre_core::policy::Policy;
use tre_query::data::Opened;
use tre_query::desk::{Desk, DeskTable};

use super::oracle::Groups;
use super::tables::World;

/// What a mutation breaks, and where. Every function is the identity unless one is put in its place.
#[derive(Clone, Copy)]
pub(super) struct Tamper {
    /// The rule pack's text.
    pub(super) policy: fn(&str) -> String,
    /// The grant that desk, lineage and engine share.
    pub(super) grant: fn(&mut Grant),
    /// Files and grant of the data worker alone.
    pub(super) opened: fn(&mut Opened, &World),
    /// The plan that the data worker runs; the lineage is that of the untouched one.
    pub(super) frontier: fn(Frontier) -> Frontier,
    /// What the data worker answers, before it is compared with brute force.
    pub(super) answered: fn(RecordBatch) -> RecordBatch,
    /// The evidence that the checker is given, and what it really is.
    pub(super) believed: fn(RecordBatch, &CellLayout, &Groups) -> RecordBatch,
    /// The lineage that the checker is given, for cells that are as they are.
    pub(super) lineage: fn(Lineage, &RecordBatch) -> Lineage,
    /// The treated cells, and the base cells that they are of.
    pub(super) treated: fn(RecordBatch, &RecordBatch, &Lineage) -> RecordBatch,
    /// Sentences about the whole answer, and its base cells.
    pub(super) notices: fn(Vec<String>, &RecordBatch) -> Vec<String>,
}

/// Nothing is broken.
pub(super) const SOUND: Tamper = Tamper {
    policy: |text| text.to_owned(),
    grant: |_| {},
    opened: |_, _| {},
    frontier: |frontier| frontier,
    answered: |batch| batch,
    believed: |batch, _, _| batch,
    lineage: |lineage, _| lineage,
    treated: |batch, _, _| batch,
    notices: |notices, _| notices,
};

/// A planned query.
pub(super) struct Prepared {
    pub(super) frontiers: Vec<(Frontier, Lineage)>,
    pub(super) public_reads: Vec<Node>,
}

/// The treated cells of one frontier.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Treated {
    pub(super) batch: RecordBatch,
    pub(super) notices: Vec<String>,
}

/// Cells that do not leave: what is said instead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Codes of the reasons; none: the worker is not believed.
    pub(super) codes: BTreeSet<&'static str>,
    pub(super) message: String,
}

/// What a client sees.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// A message and nothing else.
    Message(String),
    /// The stream, and the batches in it.
    Answer {
        bytes: Vec<u8>,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    },
}

/// A session's desk with the policy of its exit.
pub(super) struct Client<'a> {
    desk: Desk,
    grant: &'a Grant,
    policy: Policy,
    tamper: &'a Tamper,
    public: Vec<Vec<RecordBatch>>,
}

impl<'a> Client<'a> {
    /// A new session.
    pub(super) fn new(grant: &'a Grant, policy: Policy, tamper: &'a Tamper) -> Client<'a> {
        Client {
            desk: Desk::open(DeskTable::of_grant(grant)).unwrap(),
            grant,
            policy,
            tamper,
            public: vec![],
        }
    }

    /// Plans a text and reads the lineage of its frontiers.
    ///
    /// # Errors
    /// The refusal, as the desk or the lineage says it.
    pub(super) async fn prepare(&mut self, text: &str) -> Result<Prepared, Problem> {
        let planned = self.desk.plan("q", text, None, true).await?;
        let with_lineage = |frontier: Frontier| lineage(&frontier, self.grant).map(|found| (frontier, found));
        Ok(Prepared {
            frontiers: planned
                .frontiers
                .into_iter()
                .map(with_lineage)
                .collect::<Result<_, _>>()?,
            public_reads: planned.public_reads,
        })
    }

    /// Rows of the public tables that the upper plan of the query reads; they are the same in every replica.
    pub(super) fn read(&mut self, rows: Vec<Vec<RecordBatch>>) {
        self.public = rows;
    }

    /// Judges and treats the cells of a frontier.
    ///
    /// # Errors
    /// What is said of an answer that does not leave.
    pub(super) fn treat(
        &self,
        lineage: &Lineage,
        cells: RecordBatch,
        truth: &Groups,
    ) -> Result<Treated, Kept> {
        let believed = (self.tamper.believed)(cells.clone(), &lineage.layout, truth);
        let lineage = (self.tamper.lineage)(lineage.clone(), &cells);
        let believed = BaseCells::new(lineage.layout.clone(), believed).map_err(|error| Kept {
            codes: BTreeSet::new(),
            message: error.to_string(),
        })?;
        let checked = check(
            &believed,
            &lineage,
            &self.policy,
            &DrawKey::new(&[5; 32]),
            LetOut::ByRule,
        );
        match checked.decision {
            Decision::Release => {}
            Decision::Refer { reasons } | Decision::Withhold { reasons } => {
                return Err(Kept {
                    codes: reasons.iter().map(|problem| problem.code.id).collect(),
                    message: format!("{reasons:?}"),
                });
            }
        }
        assert_eq!(
            checked.notices,
            notices(&lineage, &self.policy),
            "known before any data are read"
        );
        Ok(Treated {
            batch: (self.tamper.treated)(checked.treated.batch().clone(), &cells, &lineage),
            notices: (self.tamper.notices)(checked.notices, &cells),
        })
    }

    /// What the client gets for treated cells.
    pub(super) async fn finish(&mut self, text: &str, treated: Vec<Treated>) -> Seen {
        let planned = self.desk.plan("q", text, None, true).await;
        if let Err(problem) = planned {
            return Seen::Message(problem.to_string());
        }
        let mut sentences: Vec<String> = vec![];
        for notice in treated.iter().flat_map(|treated| &treated.notices) {
            if !sentences.contains(notice) {
                sentences.push(notice.clone());
            }
        }
        let cells = treated.into_iter().map(|treated| treated.batch).collect();
        match self.desk.finish("q", cells, self.public.clone()).await {
            Err(problem) => Seen::Message(problem.to_string()),
            Ok((schema, batches)) => {
                let notices = [("tre.notices".to_owned(), format!("{sentences:?}"))];
                let schema = Schema::new_with_metadata(schema.fields().clone(), notices.into());
                let schema = Arc::new(schema);
                let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
                for batch in &batches {
                    writer.write(batch).unwrap();
                }
                Seen::Answer {
                    bytes: writer.into_inner().unwrap(),
                    schema,
                    batches,
                }
            }
        }
    }
}
