//! Policies of the tests: a parameter each, to be switched off one at a time.

use tre_core::policy::Policy;

/// Parameters of a policy of these tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    pub minimum: u32,
    /// Fewest people behind values of place `a`; values of place `b` need the minimum, and of others nothing is shown.
    /// 0: there is no rule for the tag of places.
    pub place_a: u32,
    pub zero: &'static str,
    pub jitter: u32,
    pub labels: u32,
    pub complete_up_to: u32,
    pub complement: u32,
    pub class: &'static str,
    pub digits: u32,
    pub contributors: &'static str,
    pub same_value: &'static str,
    pub majority: &'static str,
    pub degrees: u32,
    pub dominance: &'static str,
    pub perturbation: &'static str,
    pub rounding: &'static str,
    pub max_keys: u32,
    pub max_rows: u32,
    pub above: &'static str,
}

/// Everything on, with minima that worlds of 12 people reach.
pub(crate) const STRICT: Parameters = Parameters {
    minimum: 3,
    place_a: 0,
    zero: "suppress",
    jitter: 0,
    labels: 3,
    complete_up_to: 6,
    complement: 3,
    class: "suppress",
    digits: 3,
    contributors: "nonzero",
    same_value: "suppress",
    majority: "show",
    degrees: 3,
    dominance: "method = \"rules\"\nrules = [{ rule = \"p-percent\", p = 10 }, { rule = \"nk\", n = 1, k = 60 }]\n\
                negative = \"suppress\"",
    perturbation: "method = \"none\"",
    rounding: "method = \"none\"",
    max_keys: 2,
    max_rows: 1000,
    above: "refer",
};

impl Parameters {
    pub(crate) fn policy(self) -> Policy {
        let Parameters {
            minimum,
            zero,
            jitter,
            labels,
            complete_up_to,
            complement,
            class,
            digits,
            ..
        } = self;
        let Parameters {
            contributors,
            same_value,
            majority,
            degrees,
            dominance,
            perturbation,
            rounding,
            max_keys,
            max_rows,
            above,
            ..
        } = self;
        let tagged = match self.place_a {
            0 => "tagged = []".to_owned(),
            a => format!(
                "tagged = [{{ tag = \"place\", selected = \"refer\", classes = [{{ minimum = {a}, values = [\"a\"] }}, \
                 {{ minimum = {minimum}, values = [\"b\"] }}] }}]"
            ),
        };
        let text = format!(
            "id = \"test\"\ntitle = \"A policy of the tests\"\n{tagged}\n\
             [source]\nurls = [\"about:blank\"]\ndate = 2026-01-01\nnotes = \"none\"\nopen = []\n\
             [units]\nminimum = {minimum}\nzero = \"{zero}\"\njitter = {jitter}\n\
             [labels]\nminimum = {labels}\n\
             [domains]\ncomplete_up_to = {complete_up_to}\n\
             [complement]\nminimum = {complement}\n\
             [class]\nunanimous = \"{class}\"\n\
             [magnitudes]\nsignificant_digits = {digits}\ncontributors = \"{contributors}\"\nsame_value = \"{same_value}\"\n\
             majority = \"{majority}\"\n\
             degrees_of_freedom = {degrees}\ndegrees_of_freedom_of_products = {degrees}\n\
             [dominance]\n{dominance}\n\
             [perturbation]\n{perturbation}\n\
             [rounding]\n{rounding}\n\
             [crosses]\nforbidden = []\n\
             [size]\nmax_keys = {max_keys}\nmax_rows = {max_rows}\nabove = \"{above}\"\n\
             [view]\nallowed = true\n\
             [release]\nreviewers = 1\n\
             [ledger]\nkeep = false\ndiffering = \"snap\"\nsensitive = []\n\
             refusals_per_user = 0\nrefusals_per_project = 0\n"
        );
        Policy::parse(&"test".parse().unwrap(), &text).unwrap()
    }
}
