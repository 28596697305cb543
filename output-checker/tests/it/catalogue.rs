//! The page about aggregates says what the catalogue says.

use output_checker::catalogue;

#[test]
fn the_page_is_made_of_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/aggregates.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, catalogue::page()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        page,
        catalogue::page(),
        "run the test again with UPDATE_PAGES=1 and read what changed"
    );
}
