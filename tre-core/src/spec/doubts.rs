//! Columns that may hold direct identifiers though nothing proves it: what their name, and who shares their values, suggest.
//!
//! Unlike the patterns of values, which refuse a column, a doubt is told and stops nothing: a name such as `address` can be
//! that of a hospital. The holder looks, and then drops the column, makes it coarser, or says `identifier = false`.
//!
//! Source of the kinds of identifier: the list of 45 CFR 164.514(b)(2)(i) (HIPAA Safe Harbor), whose items are names,
//! addresses below state, dates to the day, phone, fax, e-mail, social security, record, plan, account and licence numbers.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Coarsen, Column, Parse};

/// Why a column of a private table needs a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Its name is one that direct identifiers have.
    Name,
    /// Dates of birth are kept to the day.
    BirthDate,
    /// Nearly every value belongs to one person only.
    HeldByOne,
}

impl Doubt {
    /// In words, after the column's name.
    pub fn describe(self) -> &'static str {
        match self {
            Doubt::Name => "is named like a direct identifier",
            Doubt::BirthDate => "keeps dates of birth to the day",
            Doubt::HeldByOne => "has values of which nearly each belongs to one person only",
        }
    }
}

/// Words that name an identifier wherever they stand in a column's name.
const ALONE: &[&str] = &[
    "address",
    "birthdate",
    "birthday",
    "dob",
    "email",
    "fax",
    "firstname",
    "forename",
    "fullname",
    "givenname",
    "initials",
    "lastname",
    "mobile",
    "mrn",
    "mynumber",
    "nino",
    "passport",
    "phone",
    "postal",
    "postcode",
    "ssn",
    "street",
    "surname",
    "telephone",
    "zip",
    "zipcode",
];
/// Words for a person, before `name` or a word for a number.
const PERSONS: &[&str] = &[
    "beneficiary",
    "citizen",
    "client",
    "contact",
    "employee",
    "father",
    "guardian",
    "insured",
    "member",
    "mother",
    "parent",
    "participant",
    "patient",
    "person",
    "spouse",
    "subject",
    "user",
];
/// Parts of names of people.
const PARTS: &[&str] = &[
    "family",
    "first",
    "full",
    "given",
    "last",
    "legal",
    "maiden",
    "middle",
    "preferred",
];
/// Words for papers that have a number for each person.
const PAPERS: &[&str] = &[
    "account",
    "chart",
    "insurance",
    "licence",
    "license",
    "medical",
    "national",
    "nhs",
    "policy",
    "record",
    "security",
    "social",
    "tax",
];
const NUMBERS: &[&str] = &["id", "identifier", "no", "nr", "num", "number"];
/// Parts of headers in Japanese: full name, address, telephone, date of birth, insured person's number, mail.
const JAPANESE: &[&str] = &["氏名", "住所", "電話", "生年月日", "被保険者番号", "メール"];

/// What the spec alone says against a column of a private table.
pub fn doubt(column: &Column) -> Option<Doubt> {
    let is_open = column.coarsen == Coarsen::Keep && column.values.is_none() && column.measure().is_none();
    if !is_open || column.harmless {
        return None;
    }
    let names = [column.name.as_str(), &column.source];
    match column.parse {
        Parse::Date | Parse::Timestamp => {
            let of_birth =
                |name: &str| name.contains("生年月日") || words(name).iter().any(|word| is_birth(word));
            names.into_iter().any(of_birth).then_some(Doubt::BirthDate)
        }
        Parse::Int | Parse::Decimal { .. } | Parse::Text => {
            names.into_iter().any(is_of_identifier).then_some(Doubt::Name)
        }
        Parse::Bool => None,
    }
}

fn is_birth(word: &str) -> bool {
    matches!(word, "birth" | "birthdate" | "birthday" | "born" | "dob")
}

fn is_of_identifier(name: &str) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let ends_with = |list: &[&str]| words.last().is_some_and(|word| list.contains(&word.as_str()));
    let is_name = ends_with(&["name", "names"]) && (words.len() == 1 || has(PERSONS) || has(PARTS));
    let is_number = ends_with(NUMBERS) && (has(PERSONS) || has(PAPERS));
    let is_date = has(&["birth"]) && has(&["date"]);
    // `e_mail` and `zip code` are two words of one.
    let is_one = ALONE.contains(&words.concat().as_str());
    is_one || has(ALONE) || is_name || is_number || is_date || JAPANESE.iter().any(|part| name.contains(part))
}

/// `patientName`, `PATIENT-NAME` and `patient name` are the words `patient` and `name`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && was_lower);
        if begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::Spec;
    use super::*;

    fn doubt_of(name: &str, options: &str) -> Option<Doubt> {
        let spec = format!(
            "dataset = \"d\"\ntitle = \"t\"\npopulation = \"p\"\n[[table]]\nname = \"t\"\nfiles = [\"t.csv\"]\n\
             unit = {{ column = \"the_unit\", canon = \"text\" }}\n[table.columns]\nx = {{ source = \"{name}\", {options} }}\n"
        );
        let spec = Spec::parse(&spec).unwrap();
        doubt(spec.tables.first().unwrap().columns.first().unwrap())
    }

    #[test]
    fn names_of_identifiers_are_doubted_and_names_of_things_are_not() {
        for name in [
            "name",
            "Name",
            "patient_name",
            "PatientName",
            "FIRST NAME",
            "surname",
            "address",
            "home_address",
            "ssn",
            "SSN",
            "phone_no",
            "e_mail",
            "email",
            "dob",
            "birth_date",
            "mrn",
            "patient_id",
            "insurance_number",
            "nhs_number",
            "zip",
            "患者氏名",
            "住所１",
        ] {
            assert_eq!(doubt_of(name, "type = \"text\""), Some(Doubt::Name), "{name}");
        }
        for name in [
            "concept_name",
            "drug_name",
            "facility_name",
            "icd",
            "visit_no",
            "age",
            "birth_weight",
            "year_of_birth",
            "record_type",
            "username_count",
            "cell",
            "notes",
            "nameless",
        ] {
            assert_eq!(doubt_of(name, "type = \"text\""), None, "{name}");
        }
    }

    #[test]
    fn dates_of_birth_are_doubted_where_they_are_kept_to_the_day() {
        for (options, expected) in [
            ("type = \"date\"", Some(Doubt::BirthDate)),
            ("type = \"timestamp\"", Some(Doubt::BirthDate)),
            ("type = \"date\", generalise = \"month\"", None),
            ("type = \"date\", identifier = false", None),
        ] {
            assert_eq!(doubt_of("born", options), expected, "{options}");
            assert_eq!(doubt_of("date_of_birth", options), expected, "{options}");
            assert_eq!(doubt_of("admitted", options), None, "{options}");
        }
    }

    #[test]
    fn what_the_holder_coarsened_declared_or_looked_at_is_not_doubted() {
        for options in [
            "type = \"text\", identifier = false",
            "type = \"text\", generalise = { prefix = 3 }",
            "type = \"text\", values = [\"a\", \"b\"]",
            "type = \"int\", min = 0, max = 9",
        ] {
            assert_eq!(doubt_of("address", options), None, "{options}");
        }
    }
}
