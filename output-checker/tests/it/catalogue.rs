//! Pages that are made of tables in the code say what these say.

use std::path::Path;

use output_checker::{catalogue, lineage};

fn is_page(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let page = std::fs::read_to_string(path).unwrap();
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&new, made).unwrap();
    assert_eq!(page, made, "the new page is {}", new.display());
}

#[test]
fn the_page_about_aggregates_is_made_of_the_catalogue() {
    is_page("aggregates.md", &catalogue::page());
}

#[test]
fn the_page_about_lineage_is_made_of_its_rules() {
    is_page("lineage.md", &lineage::table::page());
}
