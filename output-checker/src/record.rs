//! The SDC record: what was checked and treated, machine-readable, bound to one output by the SHA-256 of its bytes.
//!
//! It travels with the released file and is itself public to whoever may have the file. So it holds only what follows
//! from the treated cells, from the plan and from the policy: no evidence, no count of rows that were left out.
//!
//! The JSON schema is published as `schemas/sdc-record.schema.json` beside this crate's sources.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tre_core::algebra::Frontier;
use tre_core::codes::Problem;
use tre_core::ids::{PolicyId, PopulationName, ProjectId, QueryId, RequestId, SessionId};
use tre_core::policy::{
    ClassRule, ComplementRule, CrossesRule, DomainsRule, DominanceRule, LabelsRule, LedgerRule,
    MagnitudesRule, Perturbation, Policy, Rounding, SizeRule, TaggedRule, UnitsRule,
};

use crate::check::Checked;
use crate::decision::Decision;
use crate::lineage::Lineage;
use crate::summary::{Summary, ValueSummary};

/// Version of the record's shape.
pub const SCHEMA_VERSION: u32 = 1;

/// An SDC record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SdcRecord {
    /// Version of this shape: 1.
    pub schema_version: u32,
    /// Which program checked.
    pub tool: Tool,
    /// What is described.
    pub output: Output,
    /// Where it comes from.
    pub origin: Origin,
    /// The rule pack.
    pub policy: PolicyRef,
    /// Its rules with their parameters, as they were in force.
    pub criteria: Criteria,
    /// The aggregations over people that the output is computed from.
    pub aggregations: Vec<Aggregation>,
    /// What was decided about the output as a whole.
    pub decision: RecordedDecision,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The bytes that the record describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
}

/// Who asked what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The project.
    pub project: ProjectId,
    /// The session, if it was asked in one.
    #[schemars(with = "Option<String>")]
    pub session: Option<SessionId>,
    /// The query, if it has an id.
    #[schemars(with = "Option<String>")]
    pub query: Option<QueryId>,
    /// The request for release, if there is one.
    #[schemars(with = "Option<String>")]
    pub request: Option<RequestId>,
    /// The SQL text.
    pub sql: String,
}

/// A policy by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRef {
    /// Its id.
    pub id: PolicyId,
    /// One line about it.
    pub title: String,
    /// SHA-256 of the policy file.
    pub sha256: String,
}

/// The rules of a policy with their parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// People behind a value.
    pub units: UnitsRule,
    /// People behind a label.
    pub labels: LabelsRule,
    /// Completion of declared domains.
    pub domains: DomainsRule,
    /// Differences of two values of one row.
    pub complement: ComplementRule,
    /// Groups whose people all fall into one category.
    pub class: ClassRule,
    /// Sums.
    pub magnitudes: MagnitudesRule,
    /// Sums that one or two people dominate.
    pub dominance: DominanceRule,
    /// Noise of counts.
    pub perturbation: Perturbation,
    /// Rounding.
    pub rounding: Rounding,
    /// Minima that depend on the value of a tagged column.
    pub tagged: Vec<TaggedRule>,
    /// Tags that may not meet.
    pub crosses: CrossesRule,
    /// Keys and rows.
    pub size: SizeRule,
    /// Comparison with what has left.
    pub ledger: LedgerRule,
}

/// One aggregation over people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// SHA-256 of the plan that was judged and run, over its JSON form.
    pub algebra_sha256: String,
    /// Whose data.
    pub population: PopulationName,
    /// What was read.
    pub tables: Vec<Table>,
    /// What it is grouped by.
    pub keys: Vec<Key>,
    /// Rows of the treated table.
    pub rows: u64,
    /// Its values, and how many cells of each were treated how.
    pub values: Vec<ValueSummary>,
    /// What holds for the whole table.
    pub notices: Vec<String>,
    /// What was decided about it.
    pub decision: RecordedDecision,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The dataset's version.
    pub version: String,
    /// The table.
    pub table: String,
    /// Whether it is about nobody.
    pub public: bool,
    /// Whether the permit narrows its rows.
    pub filtered: bool,
}

/// A group key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Whether its domain is declared.
    pub declared: bool,
}

/// A decision as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedDecision {
    /// The word.
    pub outcome: Outcome,
    /// Why; empty for a release.
    pub reasons: Vec<Reason>,
}

/// The word of a decision, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It may leave.
    Release,
    /// A person decides.
    Refer,
    /// Nothing leaves.
    Withhold,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Stable code, e.g. `TRE-SDC-021`.
    pub code: String,
    /// What.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl SdcRecord {
    /// Describes `output`, the bytes of what leaves, which are computed from these aggregations.
    pub fn new(
        output: &[u8],
        tool: Tool,
        origin: Origin,
        policy: &Policy,
        aggregations: Vec<Aggregation>,
    ) -> Self {
        let rules = policy.rules();
        SdcRecord {
            schema_version: SCHEMA_VERSION,
            tool,
            output: Output {
                sha256: sha256(output),
                bytes: output.len() as u64,
            },
            origin,
            policy: PolicyRef {
                id: policy.id().clone(),
                title: policy.title().to_owned(),
                sha256: policy.hash().to_owned(),
            },
            criteria: Criteria {
                units: rules.units,
                labels: rules.labels,
                domains: rules.domains,
                complement: rules.complement,
                class: rules.class,
                magnitudes: rules.magnitudes,
                dominance: rules.dominance.clone(),
                perturbation: rules.perturbation.clone(),
                rounding: rules.rounding,
                tagged: rules.tagged.clone(),
                crosses: rules.crosses.clone(),
                size: rules.size,
                ledger: rules.ledger.clone(),
            },
            decision: RecordedDecision::worst(aggregations.iter().map(|part| &part.decision)),
            aggregations,
        }
    }

    /// Whether these are the bytes that the record describes.
    pub fn describes(&self, output: &[u8]) -> bool {
        self.output.bytes == output.len() as u64 && self.output.sha256 == sha256(output)
    }

    /// The JSON schema of records.
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(SdcRecord)
    }
}

impl Aggregation {
    /// Describes one frontier and what the checker made of it.
    ///
    /// # Errors
    /// When the plan cannot be written as JSON, which no plan of the algebra is known to do.
    pub fn new(frontier: &Frontier, lineage: &Lineage, checked: &Checked) -> Result<Self, serde_json::Error> {
        let Summary { rows, values } = checked.summary.clone();
        Ok(Aggregation {
            algebra_sha256: algebra_sha256(frontier)?,
            population: lineage.population.clone(),
            tables: lineage
                .tables
                .iter()
                .map(|table| Table {
                    version: table.version.to_string(),
                    table: table.table.to_string(),
                    public: table.public,
                    filtered: table.filtered,
                })
                .collect(),
            keys: lineage
                .keys
                .iter()
                .map(|key| Key {
                    name: key.name.clone(),
                    declared: key.domain.is_some(),
                })
                .collect(),
            rows,
            values,
            notices: checked.notices.clone(),
            decision: RecordedDecision::of(&checked.decision),
        })
    }
}

impl RecordedDecision {
    /// Writes a decision down.
    pub fn of(decision: &Decision) -> Self {
        let outcome = match decision {
            Decision::Release => Outcome::Release,
            Decision::Refer { .. } => Outcome::Refer,
            Decision::Withhold { .. } => Outcome::Withhold,
        };
        RecordedDecision {
            outcome,
            reasons: decision.reasons().iter().map(Reason::of).collect(),
        }
    }

    /// The worst of several, with the reasons of all that are as bad.
    fn worst<'a>(parts: impl Iterator<Item = &'a RecordedDecision> + Clone) -> Self {
        let outcome = parts
            .clone()
            .map(|part| part.outcome)
            .max()
            .unwrap_or(Outcome::Release);
        let as_bad = parts.filter(|part| part.outcome == outcome);
        RecordedDecision {
            outcome,
            reasons: as_bad.flat_map(|part| part.reasons.iter().cloned()).collect(),
        }
    }
}

impl Reason {
    fn of(problem: &Problem) -> Self {
        Reason {
            code: problem.code.id.to_owned(),
            what: problem.what.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// SHA-256 of a plan over its JSON form, 64 lower-case hexadecimal digits. Equal plans have equal digests.
///
/// # Errors
/// When the plan cannot be written as JSON.
pub fn algebra_sha256(frontier: &Frontier) -> Result<String, serde_json::Error> {
    Ok(sha256(&serde_json::to_vec(frontier)?))
}

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}
