//! Every rule is needed: with one switched off, by the parameter of the policy that switches it off, a law fails. A law
//! that cannot fail proves nothing.

use crate::laws::*;
use crate::laws_of_lines::*;
use crate::laws_of_rows::*;
use crate::laws_of_sums::*;
use crate::parameters::*;

/// The law, judged by the strict parameters, has to fail under these.
#[track_caller]
fn fails(law: Law, parameters: Parameters) {
    assert!(
        first_violation(law, parameters, STRICT).is_some(),
        "nothing noticed that the rule is off"
    );
}

#[test]
fn without_a_minimum_of_people_laws_fail() {
    let off = Parameters { minimum: 1, ..STRICT };
    fails(a_difference_has_enough_people, off);
    fails(shown_values_have_enough_people, off);
}

#[test]
fn with_zeros_shown_the_strict_law_fails() {
    fails(
        a_difference_has_enough_people,
        Parameters {
            zero: "show",
            ..STRICT
        },
    );
    fails(
        shown_values_have_enough_people,
        Parameters {
            zero: "show",
            ..STRICT
        },
    );
}

#[test]
fn without_the_rule_for_labels_laws_fail() {
    // Where the other side of an argument may be anybody, only the rule for labels keeps them.
    let on = Parameters {
        complement: 1,
        zero: "show",
        ..STRICT
    };
    let off = Parameters { labels: 1, ..on };
    assert_eq!(first_violation(labels_have_enough_people, on, STRICT), None);
    fails(labels_have_enough_people, off);
    assert_eq!(first_violation(a_difference_has_enough_people, on, on), None);
    assert!(first_violation(a_difference_has_enough_people, off, on).is_some());
}

#[test]
fn without_completion_absence_speaks() {
    fails(
        rows_say_nothing,
        Parameters {
            complete_up_to: 0,
            ..STRICT
        },
    );
}

#[test]
fn without_the_complement_rule_a_difference_isolates() {
    fails(
        no_difference_of_two_isolates,
        Parameters {
            complement: 1,
            ..STRICT
        },
    );
}

#[test]
fn without_the_complement_rule_the_other_side_is_few_people() {
    fails(
        extremes_are_shared_and_rests_are_cells,
        Parameters {
            complement: 1,
            ..STRICT
        },
    );
}

#[test]
fn without_a_minimum_of_people_an_extreme_is_somebodys() {
    let off = Parameters { minimum: 1, ..STRICT };
    fails(extremes_are_shared_and_rests_are_cells, off);
}

#[test]
fn without_the_rule_for_equal_values_a_sum_states_them() {
    fails(
        sums_state_nobodys_value,
        Parameters {
            same_value: "show",
            ..STRICT
        },
    );
}

#[test]
fn with_all_digits_a_sum_says_more() {
    fails(sums_state_nobodys_value, Parameters { digits: 38, ..STRICT });
}

#[test]
fn counting_zeros_as_contributors_lets_single_values_through() {
    fails(
        shown_values_have_enough_people,
        Parameters {
            contributors: "present",
            // Two who contribute, and they dominate: another rule would see it.
            dominance: "method = \"none\"",
            ..STRICT
        },
    );
}

#[test]
fn without_a_rule_of_dominance_a_contribution_is_known() {
    let negative = "negative = \"suppress\"";
    let p = "method = \"rules\"\nrules = [{ rule = \"p-percent\", p = 10 }]";
    let nk = "method = \"rules\"\nrules = [{ rule = \"nk\", n = 1, k = 60 }]";
    for dominance in [
        "method = \"none\"".to_owned(),
        format!("{p}\n{negative}"),
        format!("{nk}\n{negative}"),
        // Referred sums are shown to the person who decides.
        STRICT.dominance.replace("suppress", "refer"),
    ] {
        let dominance: &'static str = Box::leak(dominance.into_boxed_str());
        fails(nobody_computes_a_contribution, Parameters { dominance, ..STRICT });
    }
}

#[test]
fn without_degrees_of_freedom_a_sum_is_of_as_few_people_as_a_count() {
    fails(sums_have_degrees_of_freedom, Parameters { degrees: 0, ..STRICT });
}

#[test]
fn without_the_rule_for_classes_a_line_tells_a_category() {
    for class in ["show", "refer"] {
        fails(lines_tell_nobodys_category, Parameters { class, ..STRICT });
    }
}

#[test]
fn without_classes_of_places_small_ones_are_shown() {
    let on = Parameters { place_a: 6, ..STRICT };
    assert_eq!(first_violation(places_have_their_own_minima, on, on), None);
    for place_a in [0, 5] {
        let off = Parameters { place_a, ..STRICT };
        assert!(
            first_violation(places_have_their_own_minima, off, on).is_some(),
            "{place_a}"
        );
    }
}

#[test]
fn without_the_rule_for_majorities_a_sum_is_of_one_value_but_for_few() {
    let on = Parameters {
        majority: "suppress",
        ..STRICT
    };
    assert_eq!(
        first_violation(sums_are_not_of_one_value_but_for_few, on, on),
        None
    );
    assert!(first_violation(sums_are_not_of_one_value_but_for_few, STRICT, on).is_some());
    assert_eq!(first_violation(a_difference_has_enough_people, on, on), None);
}
