//! A policy in plain words, for `tre schema` and `tre policy show`.

use super::{
    Above, Contributors, Differing, DominanceRule, Perturbation, Rounding, RulePack, Showing, TaggedRule,
    Unanimous, Undecided,
};

/// One sentence per rule, in the order in which the rules are applied.
pub(super) fn in_plain_words(rules: &RulePack) -> Vec<String> {
    let mut sentences = vec![];
    let units = rules.units.minimum;
    sentences.push(match rules.units.zero {
        Showing::Show => format!(
            "A value is suppressed when 1 to {} stand behind it; zero is shown.",
            below(units.get())
        ),
        Showing::Suppress => {
            format!(
                "A value is suppressed when fewer than {} stand behind it, nobody included.",
                people(units.get())
            )
        }
    });
    if rules.units.jitter.get() > 0 {
        sentences.push(format!(
            "Where no person decides, this minimum and those below are up to {} higher, once and for all for each set of \
             people.",
            people(rules.units.jitter.get())
        ));
    }
    sentences.push(match rules.magnitudes.contributors {
        Contributors::Nonzero => "Behind a sum or average stand those with a value other than zero.".into(),
        Contributors::Present => "Behind a sum or average stand all who have a value.".into(),
    });
    sentences.push(format!(
        "Groups of a column without declared domain are left out when fewer than {} are in them.",
        people(rules.labels.minimum.get())
    ));
    sentences.push(format!(
        "Groups of columns with declared domains all stand in the answer, up to {} rows; above that the rule for \
         columns without declared domain holds.",
        rules.domains.complete_up_to
    ));
    sentences.push(format!(
        "Of two values of one row that differ by 1 to {}, the one of fewer people is suppressed.",
        below(rules.complement.minimum.get())
    ));
    match rules.class.unanimous {
        Unanimous::Show => {}
        Unanimous::Suppress => sentences.push(
            "Where everybody of a group falls into one category of a key, all categories are suppressed."
                .into(),
        ),
        Unanimous::Refer => sentences.push(
            "A table in which everybody of a group falls into one category of a key goes to a person.".into(),
        ),
    }
    if rules.magnitudes.same_value == Showing::Suppress {
        sentences.push("A sum or average is suppressed when everybody behind it has the same value.".into());
    }
    if rules.magnitudes.majority == Showing::Suppress {
        sentences.push(format!(
            "A sum or average is suppressed when more than half of those behind it have the same value and only 1 to {} \
             another, or nobody.",
            below(units.get())
        ));
    }
    if rules.magnitudes.degrees_of_freedom.get() > 0 {
        sentences.push(format!(
            "A sum or average is suppressed when fewer than {} have a value: it needs {} degrees of freedom.",
            people(rules.magnitudes.degrees_of_freedom.get().saturating_add(1)),
            rules.magnitudes.degrees_of_freedom
        ));
    }
    if rules.magnitudes.degrees_of_freedom_of_products.get() > 0 {
        sentences.push(format!(
            "A variance, deviation, covariance or correlation is suppressed when fewer than {} have a value: it needs {} \
             degrees of freedom.",
            people(rules.magnitudes.degrees_of_freedom_of_products.get().saturating_add(1)),
            rules.magnitudes.degrees_of_freedom_of_products
        ));
    }
    if let DominanceRule::Rules { rules, negative } = &rules.dominance {
        sentences.push(format!(
            "A sum or average is suppressed when one or two people make up too much of it ({}); its count may stay.",
            rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        ));
        let becomes = match negative {
            Undecided::Suppress => "is suppressed",
            Undecided::Refer => "goes to a person",
        };
        sentences.push(format!(
            "A sum or average of values some of which are below zero {becomes}."
        ));
    }
    sentences.push(format!(
        "Sums keep {} significant digits.",
        rules.magnitudes.significant_digits
    ));
    for tagged in &rules.tagged {
        sentences.push(tagged_in_words(tagged));
    }
    if let Some(sentence) = noise_in_words(&rules.perturbation) {
        sentences.push(sentence);
    }
    let what = if rules.rounding.covers_sums() {
        "Counts and sums"
    } else {
        "Counts"
    };
    sentences.push(match rules.rounding {
        Rounding::None {} => "Counts are not rounded.".into(),
        Rounding::Nearest { base, .. } => {
            format!("{what} are rounded to the nearest multiple of {base}.")
        }
        Rounding::Midpoint { base, .. } => {
            format!(
                "{what} are rounded to the middle of the {base} whole numbers that they are among; zero stays zero."
            )
        }
        Rounding::Controlled { base, .. } => {
            format!(
                "{what} are rounded to multiples of {base} next to them, all of a column together, so that what they \
                 add up to by the first key, by the others and as a whole is right to within {base}."
            )
        }
    });
    for cross in &rules.crosses.forbidden {
        sentences.push(format!("A question with {cross} {}.", becomes(cross.then)));
    }
    let above = becomes(rules.size.above);
    sentences.push(format!(
        "A question with more than {} keys {above}.",
        rules.size.max_keys
    ));
    sentences.push(format!(
        "An answer of more than {} rows {above}.",
        rules.size.max_rows
    ));
    sentences.push(match rules.view.allowed {
        true => "Answers in a session leave at once.".into(),
        false => "No answer leaves in a session.".into(),
    });
    sentences.push(match rules.release.reviewers.get() {
        0 => "A file may leave without review.".into(),
        1 => "A file leaves when at least 1 other person has agreed.".into(),
        reviewers => format!("A file leaves when at least {reviewers} other people have agreed."),
    });
    sentences.push(if rules.ledger.keep {
        let near = below(units.get());
        let becomes = match rules.ledger.differing {
            Differing::Snap => "answered with the value that has left",
            Differing::Refer => "referred to a person",
            Differing::Suppress => "suppressed",
        };
        format!(
            "A value that differs from one that has left by up to {near} is {becomes}; after {} such answers of a user \
             or {} of a project within 24 hours all go to a person.",
            rules.ledger.refusals_per_user, rules.ledger.refusals_per_project
        )
    } else {
        "Answers are not compared with what has left: the difference of two can be one person.".into()
    });
    sentences
}

fn becomes(above: Above) -> &'static str {
    match above {
        Above::Refer => "goes to a person",
        Above::Withhold => "is withheld",
    }
}

/// The noise of counts.
fn noise_in_words(rule: &Perturbation) -> Option<String> {
    let by = match rule {
        Perturbation::None {} => return None,
        Perturbation::CellKey {
            deviation,
            variance,
            small,
        } => {
            let never = match small.get() {
                0 => String::new(),
                1 => ", never to 1".to_owned(),
                small => format!(", never to 1 to {small}"),
            };
            format!("by up to {deviation} (variance {variance}){never}")
        }
        Perturbation::Listed { table } => {
            let steps = table.iter().flat_map(|entry| &entry.noise);
            let largest = steps.map(|(step, _)| step.unsigned_abs()).max().unwrap_or(0);
            format!("by up to {largest}, as the policy lists")
        }
    };
    Some(format!(
        "Counts are changed {by}, those of rows by as many times their mean per person: always the same for the same people. \
         Zero stays zero, and parts do not add up to totals."
    ))
}

/// The minima of a tag, and what becomes of a selection by it.
fn tagged_in_words(rule: &TaggedRule) -> String {
    let classes = rule.classes.iter().map(|class| {
        let values = class.values.len();
        format!(
            "{values} of them when at least {} stand behind them",
            people(class.minimum.get())
        )
    });
    let classes: Vec<String> = classes.collect();
    format!(
        "Of the values of `{tag}` only those are shown that the policy lists: {}. A question that selects by `{tag}` or \
         computes a key from it {}.",
        classes.join(", "),
        becomes(rule.selected),
        tag = rule.tag
    )
}

/// The largest number of people that is too few, in words.
fn below(minimum: u32) -> String {
    people(minimum.saturating_sub(1))
}

fn people(number: u32) -> String {
    if number == 1 {
        "1 person".into()
    } else {
        format!("{number} people")
    }
}
