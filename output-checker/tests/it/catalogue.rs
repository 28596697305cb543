//! Pages that are made of tables in the code say what these say.

use std::path::Path;

use output_checker::{catalogue, lineage};

fn is_page(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        page, made,
        "run the test again with UPDATE_PAGES=1 and read what changed"
    );
}

#[test]
fn the_page_about_aggregates_is_made_of_the_catalogue() {
    is_page("aggregates.md", &catalogue::page());
}

#[test]
fn the_page_about_lineage_is_made_of_its_rules() {
    is_page("lineage.md", &lineage::table::page());
}
