//! The one way from base cells to treated cells.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::Schema;

use tre_core::codes::{self, Problem};
use tre_core::evidence::{BaseCells, ValueKind};
use tre_core::policy::{Policy, Rounding, RulePack};
use tre_core::status::Rule;
use tre_core::types::Value;

use crate::decision::Decision;
use crate::draws::{DrawKey, Draws, LetOut};
use crate::groups::Groups;
use crate::lineage::Lineage;
use crate::question;
use crate::reasons::more;
use crate::rules::jitter::Jitter;
use crate::rules::tagged::{MinimaByTag, lists_no_value};
use crate::rules::{self, Argument, Evidence, Referrals, Verdict, completion};
use crate::summary::Summary;
use crate::treated::TreatedCells;
use crate::treatments::{self, Noise, Perturbed, Place, Treated};

/// What the checker answers about one frontier.
#[must_use = "the decision says whether the treated cells may leave"]
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The treated cells; none where the decision is to withhold.
    pub treated: TreatedCells,
    /// What becomes of them.
    pub decision: Decision,
    /// Sentences about the whole table, the same whatever the data are.
    pub notices: Vec<String>,
    /// What was done to its values, counted.
    pub summary: Summary,
}

/// Judges and treats the base cells of one frontier.
///
/// The decision is to withhold when the cells are not of the lineage's layout, when a group stands among them twice, or
/// when a key is not of its type. It follows the policy when more rows may be shown than the policy allows, or when
/// values need a person: only what may be shown is looked at, so that this, too, never turns on a row of too few people.
///
/// `key` is that of all draws of the deployment. Where the policy draws, the cells have to have sets of people; the decision
/// is to withhold where they have none.
pub fn check(
    cells: &BaseCells,
    lineage: &Lineage,
    policy: &Policy,
    key: &DrawKey,
    let_out: LetOut,
) -> Checked {
    check_under(cells, lineage, policy.rules(), key, let_out)
}

/// As [`check`], under the rules of a policy.
pub(crate) fn check_under(
    cells: &BaseCells,
    lineage: &Lineage,
    rules: &RulePack,
    key: &DrawKey,
    let_out: LetOut,
) -> Checked {
    match judge_and_treat(cells, lineage, rules, key, let_out) {
        Ok((treated, referrals)) => {
            let summary = Summary::of(&treated, lineage);
            let decision = question::decide(lineage, rules)
                .and(size(&summary, rules))
                .and(referred(referrals, rules));
            let (treated, summary) = match decision {
                Decision::Release | Decision::Refer { .. } => (treated, summary),
                Decision::Withhold { .. } => {
                    let nothing = TreatedCells::nothing(treated.batch().schema());
                    let summary = Summary::of(&nothing, lineage);
                    (nothing, summary)
                }
            };
            Checked {
                treated,
                decision,
                notices: notices_under(lineage, rules),
                summary,
            }
        }
        Err(what) => {
            let schema = TreatedCells::schema(&lineage.layout).unwrap_or_else(|_| Arc::new(Schema::empty()));
            let treated = TreatedCells::nothing(schema);
            let summary = Summary::of(&treated, lineage);
            let reasons = vec![Problem::of(&codes::SDC_EVIDENCE, what)];
            Checked {
                treated,
                decision: Decision::Withhold { reasons },
                notices: vec![],
                summary,
            }
        }
    }
}

fn judge_and_treat(
    cells: &BaseCells,
    lineage: &Lineage,
    rules: &RulePack,
    key: &DrawKey,
    let_out: LetOut,
) -> Result<(TreatedCells, Referrals), String> {
    if cells.layout() != &lineage.layout || lineage.keys.len() != lineage.layout.keys.len() {
        return Err("the cells are not of the layout that the query's lineage demands".into());
    }
    let schema = TreatedCells::schema(&lineage.layout).map_err(|error| error.to_string())?;
    let domains: Vec<Option<&[Value]>> = lineage.keys.iter().map(|key| key.domain.as_deref()).collect();
    let mut groups = Groups::new(
        cells.keys(),
        cells.len(),
        &lineage.layout.keys,
        &domains,
        &rules.domains,
    )
    .map_err(|error| error.to_string())?;

    let population = &lineage.population;
    let no_sets = || "the policy draws for sets of people, and the cells have none".to_owned();
    let jitter = Jitter::new(cells, population, &rules.units, key, let_out).ok_or_else(no_sets)?;
    let noise = Noise::of(&rules.perturbation).ok_or("the policy's noise cannot be computed".to_owned())?;
    let perturbed = noise.map(|noise| {
        let draws = Draws::new(cells, population, key).ok_or_else(no_sets)?;
        Ok::<_, String>(Perturbed { noise, draws, cells })
    });
    let perturbed = perturbed.transpose()?;

    let told_apart = rules.values_told_apart();
    if lineage.layout.unlike < told_apart {
        return Err(
            "the policy judges by how many people have the same value, and the cells do not say".into(),
        );
    }

    let arguments = rules::arguments(lineage);
    let mut referrals = Referrals::default();
    let minima = MinimaByTag::new(lineage, rules);
    let verdicts = judge(
        cells,
        &mut groups,
        &jitter,
        &minima,
        &arguments,
        rules,
        &mut referrals,
    );

    let mut columns = groups.key_columns();
    let places = groups.places();
    let mut statuses = Vec::with_capacity(lineage.layout.values.len());
    for (i, kind) in lineage.layout.values.iter().enumerate() {
        let slot = arguments
            .iter()
            .position(|argument| argument.index == kind.argument());
        let (column, slot) = cells
            .value(i)
            .zip(slot)
            .ok_or("a value of the layout is not among the cells".to_owned())?;
        let of_groups = groups.rows().iter().zip(verdicts.chunks(arguments.len()));
        // A verdict that is missing suppresses.
        let of_groups = of_groups.map(|(group, row)| {
            let verdict = row.get(slot).copied();
            let verdict = verdict.unwrap_or(Verdict::all(Rule::Threshold)).of(*kind);
            let evidence = Evidence {
                cells,
                jitter: &jitter,
                row: group.source,
            };
            (group.source, rules::of_value(evidence, *kind, verdict, rules))
        });
        let treated = treat(column, *kind, of_groups, &places, perturbed.as_ref(), rules)
            .ok_or("a value is not of the type that its layout demands".to_owned())?;
        columns.push(treated.values);
        statuses.push(treated.statuses);
    }
    columns.extend(statuses);
    let treated = TreatedCells::new(schema, columns).map_err(|error| error.to_string())?;
    Ok((treated, referrals))
}

/// Reaches the verdicts, `arguments.len()` per group, and leaves out undeclared groups of which nothing may be shown.
fn judge(
    cells: &BaseCells,
    groups: &mut Groups<'_>,
    jitter: &Jitter<'_>,
    minima: &MinimaByTag<'_>,
    arguments: &[Argument],
    rules: &RulePack,
    referrals: &mut Referrals,
) -> Vec<Verdict> {
    let of_group = |group| minima.of_group(|key| groups.label(group, key));
    let minima: Vec<_> = groups.rows().iter().map(of_group).collect();
    let width = arguments.len().max(1);
    let mut verdicts = vec![Verdict::default(); groups.rows().len() * width];
    let each = groups.rows().iter().zip(&minima);
    for ((group, minima), verdicts) in each.zip(verdicts.chunks_mut(width)) {
        let evidence = Evidence {
            cells,
            jitter,
            row: group.source,
        };
        rules::judge(
            evidence,
            group.declared,
            *minima,
            arguments,
            rules,
            verdicts,
            referrals,
        );
    }
    let all = Evidence {
        cells,
        jitter,
        row: None,
    };
    rules::judge_lines(all, groups, &minima, arguments, rules, &mut verdicts, referrals);
    let mut kept = Vec::with_capacity(verdicts.len());
    let mut keep = Vec::with_capacity(groups.rows().len());
    for (group, verdicts) in groups.rows().iter().zip(verdicts.chunks(width)) {
        let mut judged = verdicts.iter().zip(arguments);
        let stays = group.declared || judged.any(|(verdict, argument)| verdict.shows(*argument));
        keep.push(stays);
        if stays {
            kept.extend_from_slice(verdicts);
        }
    }
    groups.retain(&keep);
    kept
}

fn treat(
    column: &ArrayRef,
    kind: ValueKind,
    groups: impl Iterator<Item = (Option<usize>, Option<Rule>)>,
    places: &[Place],
    perturbed: Option<&Perturbed<'_>>,
    rules: &RulePack,
) -> Option<Treated> {
    match kind {
        ValueKind::CountRows
        | ValueKind::CountUnits
        | ValueKind::Count { .. }
        | ValueKind::CountUnitsOf { .. } => {
            treatments::counts(column, kind, groups, places, perturbed, rules.rounding)
        }
        ValueKind::Min { .. } | ValueKind::Max { .. } => treatments::extremes(column, groups),
        ValueKind::Sum { .. } | ValueKind::Comoment { .. } => {
            treatments::sums(column, groups, places, &rules.magnitudes, rules.rounding)
        }
    }
}

fn size(summary: &Summary, rules: &RulePack) -> Decision {
    let size = rules.size;
    if summary.rows <= u64::from(size.max_rows.get()) {
        return Decision::Release;
    }
    let what = format!(
        "the answer has more than {} rows, the most that policy `{}` lets out at once",
        size.max_rows, rules.id
    );
    question::decision(size.above, Problem::of(&codes::SDC_TOO_MANY_ROWS, what))
}

/// The decision about values of which the policy says that a person decides.
fn referred(referrals: Referrals, rules: &RulePack) -> Decision {
    let mut reasons = Vec::new();
    if referrals.negative {
        let what = format!(
            "policy `{}` lets a person decide about sums over values below zero",
            rules.id
        );
        reasons.push(Problem::of(&codes::SDC_NEGATIVE, what));
    }
    if referrals.unanimous {
        let what = format!(
            "policy `{}` lets a person decide about groups whose people all fall into one category",
            rules.id
        );
        reasons.push(Problem::of(&codes::SDC_UNANIMOUS, what));
    }
    if reasons.is_empty() {
        Decision::Release
    } else {
        Decision::Refer { reasons }
    }
}

/// What holds for every answer to this question, whatever the data are: known before any are read.
pub fn notices(lineage: &Lineage, policy: &Policy) -> Vec<String> {
    notices_under(lineage, policy.rules())
}

fn notices_under(lineage: &Lineage, rules: &RulePack) -> Vec<String> {
    let mut notices = Vec::new();
    if !lineage.keys.is_empty() {
        let sizes: Vec<Option<usize>> = lineage
            .keys
            .iter()
            .map(|key| Some(key.domain.as_ref()?.len()))
            .collect();
        let completed = completion::product(&sizes, &rules.domains).is_some();
        let which = if completed {
            "groups outside of the declared domains, NULL among them,"
        } else {
            "rare groups"
        };
        notices.push(format!(
            "{which} are not shown when fewer than {} people{} are in them",
            rules.labels.minimum,
            more(rules)
        ));
    }
    for rule in &rules.tagged {
        if !lineage.keys.iter().any(|key| key.tag.as_ref() == Some(&rule.tag)) {
            continue;
        }
        if lists_no_value(rule) {
            notices.push(format!(
                "nothing by `{}` is shown: policy `{}` lists none of its values",
                rule.tag, rules.id
            ));
        } else {
            let minima = rule.classes.iter().map(|class| class.minimum.to_string());
            notices.push(format!(
                "values by `{}` are shown for listed ones only, when at least {} people stand behind them",
                rule.tag,
                minima.collect::<Vec<_>>().join(" or ")
            ));
        }
    }
    let sums = lineage.layout.values.iter().any(|kind| kind.is_magnitude());
    if sums {
        notices.push(format!(
            "sums are rounded to {} significant digits",
            rules.magnitudes.significant_digits
        ));
    }
    let counts = lineage.layout.values.iter().any(|kind| kind.is_count());
    if rules.perturbation.is_drawn() && counts {
        notices.push(
            "counts are changed by a little noise, the same for the same people; parts do not add up to totals".into(),
        );
    }
    let rounded = if rules.rounding.covers_sums() {
        "counts and sums"
    } else {
        "counts"
    };
    match rules.rounding {
        Rounding::None {} => {}
        Rounding::Nearest { base, .. } => {
            notices.push(format!("{rounded} are rounded to the nearest multiple of {base}"));
        }
        Rounding::Midpoint { base, .. } => {
            notices.push(format!(
                "{rounded} are rounded to the middle of the {base} whole numbers that they are among"
            ));
        }
        Rounding::Controlled { base, .. } => {
            notices.push(format!(
                "{rounded} are rounded to multiples of {base} next to them, so that a column adds up"
            ));
        }
    }
    notices
}
