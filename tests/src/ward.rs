//! A ward made for being robbed: 240 persons who are alike, an accomplice, and a victim who can be left out.
//!
//! Whatever is rare about the victim belongs to the accomplice too (then it is one person's or two people's) or to
//! nobody else (then it is nobody's or one person's); `tests/corpus/smuggling.toml` says what is which. Every other value
//! is shared by ten persons at least, but for a clinic of nine whom the victim makes ten.

use std::fmt::Write;

use anyhow::Result;

use crate::home::Home;
use crate::plain::Plain;

/// Persons beside the accomplice and the victim.
const OTHERS: u32 = 240;

/// The ward's spec.
pub const SPEC: &str = r#"
dataset    = "ward"
title      = "A ward with a victim"
population = "ward"
[[table]]
name  = "person"
files = ["person.csv"]
unit  = { column = "patient", canon = "text" }
[table.columns]
sex    = { type = "text", values = ["F", "M"] }
age    = { type = "int", generalise = { bands = [0, 40, 60, 80] } }
region = { type = "text" }
clinic = { type = "text" }
blood  = { type = "text" }
letter = { type = "text" }
[[table]]
name  = "visit"
files = ["visit.csv"]
unit  = { column = "patient", canon = "text" }
[table.columns]
date     = { type = "date", generalise = "month" }
icd      = { type = "text", generalise = { prefix = 3 }, tag = "icd10" }
cost     = { type = "float", min = 0, max = 1000000, scale = 2 }
days     = { type = "int", min = 0, max = 31 }
change   = { type = "int", min = -100, max = 100 }
bed_days = { type = "int", min = 0, max = 31 }
implant  = { type = "text" }
ward     = { type = "text" }
early    = { type = "text" }
late     = { type = "text" }
nights   = { type = "int", min = 0, max = 31 }
fee      = { type = "int", min = 0, max = 1000 }
fine     = { type = "int", min = 0, max = 1000 }
swing    = { type = "int", min = -100, max = 100 }
[[table]]
name   = "icd10"
files  = ["icd10.csv"]
public = true
[table.columns]
code    = { type = "text" }
name    = { type = "text" }
chapter = { type = "text" }
note    = { type = "text" }
[[table]]
name   = "digit"
files  = ["digit.csv"]
public = true
[table.columns]
n      = { type = "int" }
one    = { type = "int" }
weight = { type = "int", min = 0, max = 1000000000000000 }
[[table]]
name   = "step"
files  = ["step.csv"]
public = true
[table.columns]
code = { type = "text" }
nr   = { type = "int" }
"#;

/// Tables of a permit that allows everything.
pub const TABLES: [(&str, &[&str], &str); 5] = [
    (
        "person",
        &["pid", "sex", "age", "region", "clinic", "blood", "letter"],
        "",
    ),
    (
        "visit",
        &[
            "pid", "date", "icd", "cost", "days", "change", "bed_days", "implant", "ward", "early", "late",
            "nights", "fee", "fine", "swing",
        ],
        "",
    ),
    ("icd10", &["code", "name", "chapter", "note"], ""),
    ("digit", &["n", "one", "weight"], ""),
    ("step", &["code", "nr"], ""),
];

/// The holder's files, name and content.
pub fn files(with_victim: bool) -> [(&'static str, String); 5] {
    [
        ("person.csv", persons(with_victim)),
        ("visit.csv", visits(with_victim)),
        ("icd10.csv", icd10()),
        ("digit.csv", digits()),
        ("step.csv", steps()),
    ]
}

/// Writes spec and files beside a home and ingests them.
pub fn ingest(home: &Home, with_victim: bool) -> Result<()> {
    home.write("ward/ward.toml", SPEC)?;
    for (name, content) in files(with_victim) {
        home.write(&format!("ward/{name}"), content)?;
    }
    home.tre(&["ingest", "ward/ward.toml"])?.ok()?;
    Ok(())
}

/// The same data in an engine that checks nothing.
///
/// # Errors
/// When a file cannot be written or read.
pub fn plain(with_victim: bool) -> Result<Plain> {
    let directory = tempfile::tempdir()?;
    for (name, content) in files(with_victim) {
        std::fs::write(directory.path().join(name), content)?;
    }
    Plain::of(SPEC, directory.path())
}

fn persons(with_victim: bool) -> String {
    let mut text = "patient,sex,age,region,clinic,blood,letter\n".to_owned();
    for i in 0..OTHERS {
        let sex = pick(&["F", "M"], i);
        let region = pick(&["north", "south", "east"], i / 2);
        let clinic = if i < 9 { "annex" } else { "main" };
        let blood = pick(&["A+", "B+", "O+"], i / 6);
        line(
            &mut text,
            format_args!("p{i},{sex},{},{region},{clinic},{blood},a", 20 + i * 7 % 70),
        );
    }
    line(&mut text, format_args!("p{OTHERS},M,45,isle,main,O+,a"));
    if with_victim {
        line(&mut text, format_args!("victim,M,97,isle,annex,AB-,"));
    }
    text
}

fn visits(with_victim: bool) -> String {
    let mut text =
        "patient,date,icd,cost,days,change,bed_days,implant,ward,early,late,nights,fee,fine,swing\n"
            .to_owned();
    for i in 0..OTHERS {
        for nr in 0..2 {
            let (month, icd) = (1 + i % 12, pick(&["K70.3", "K74.0", "E11.9"], i));
            let (cost, days, change) = (100 + i * 3 + nr, 1 + i % 14, i64::from(i % 21) - 10);
            let swing = if nr == 0 { 5 } else { -5 };
            let (early, late) = if i < OTHERS / 2 { ("yes", "") } else { ("", "yes") };
            line(
                &mut text,
                format_args!(
                    "p{i},2025-{month:02}-1{nr},{icd},{cost}.50,{days},{change},{days},,{},{early},{late},{days},30,0,{swing}",
                    1 + i % 9
                ),
            );
        }
    }
    line(
        &mut text,
        format_args!("p{OTHERS},2025-07-01,Z98.8,250.00,31,-9,,yes,,,,0,30,25,7"),
    );
    line(
        &mut text,
        format_args!("p{OTHERS},2025-03-01,E11.9,300.00,5,3,5,,2,yes,,5,30,0,0"),
    );
    if with_victim {
        line(
            &mut text,
            format_args!("victim,2025-07-02,Z98.8,987654.32,31,-99,,yes,,,,0,950,40,40"),
        );
        line(
            &mut text,
            format_args!("victim,2024-01-05,Q99.9,10.00,20,4,20,,ICU,yes,,20,30,0,0"),
        );
        line(
            &mut text,
            format_args!("victim,2024-02-05,Q99.9,20.00,21,5,21,,ICU,yes,,21,30,0,0"),
        );
    }
    text
}

fn icd10() -> String {
    "code,name,chapter,note\n\
     E11,Type 2 diabetes,common,yes\n\
     K70,Alcoholic liver disease,common,yes\n\
     K74,Fibrosis of liver,common,yes\n\
     Q99,Other chromosome abnormalities,rare,yes\n\
     X99,Nobody has this,rare,yes\n\
     Z98,Other postsurgical states,common,\n"
        .to_owned()
}

fn digits() -> String {
    let mut text = "n,one,weight\n".to_owned();
    for n in 0..=31_u32 {
        line(&mut text, format_args!("{n},1,{}", 10_u64.pow(n / 2)));
    }
    text
}

/// A thousand rows for what is rare, one for what is not: weights that no expression names.
fn steps() -> String {
    let mut text = "code,nr\nE11,0\nK70,0\nK74,0\n".to_owned();
    for nr in 0..1_000 {
        line(&mut text, format_args!("Z98,{nr}"));
    }
    text
}

fn pick<'a>(words: &[&'a str], i: u32) -> &'a str {
    let at = i as usize % words.len().max(1);
    words.get(at).copied().unwrap_or_default()
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = writeln!(text, "{content}");
}
