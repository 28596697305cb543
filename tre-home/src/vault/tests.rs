#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::scratch::Scratch;

#[test]
fn a_wrapped_key_opens_for_its_own_version_in_its_own_home_only() {
    let (here, there) = (Scratch::new(), Scratch::new());
    let (vault, other) = (&here.vault, &there.vault);
    let version = VersionId::from_hash("liver".parse().unwrap(), [1; 32]);
    let another = VersionId::from_hash("liver".parse().unwrap(), [2; 32]);
    let key = vault.new_version_key().unwrap();
    let wrapped = vault.wrap_version_key(&version, &key).unwrap();
    assert_eq!(*vault.unwrap_version_key(&version, &wrapped).unwrap().0, *key.0);
    assert!(vault.unwrap_version_key(&another, &wrapped).is_err());
    assert!(other.unwrap_version_key(&version, &wrapped).is_err());
    assert!(vault.unwrap_version_key(&version, "not base64 !").is_err());
    assert!(vault.unwrap_version_key(&version, "").is_err());
    let mut altered = BASE64.decode(wrapped.as_bytes()).unwrap();
    altered[20] ^= 1;
    assert!(
        vault
            .unwrap_version_key(&version, &BASE64.encode(&altered))
            .is_err()
    );
}

#[test]
fn pseudonym_keys_are_random_and_bound_to_their_project() {
    let vault = Scratch::new().vault;
    let (one, two): (ProjectId, ProjectId) = ("one".parse().unwrap(), "two".parse().unwrap());
    let first = vault.new_pseudonym_key(&one).unwrap();
    let again = vault.new_pseudonym_key(&one).unwrap();
    let open = |wrapped: &str| *vault.unwrap_pseudonym_key(&one, wrapped).unwrap().bytes();
    assert_ne!(
        open(&first),
        open(&again),
        "a key that was destroyed does not come back"
    );
    assert!(vault.unwrap_pseudonym_key(&two, &first).is_err());
    // A data key and a pseudonym key do not stand in for each other.
    let version = VersionId::from_hash("one".parse().unwrap(), [1; 32]);
    assert!(vault.unwrap_version_key(&version, &first).is_err());
}

#[test]
fn linkage_differs_by_population_kind_and_home() {
    let (here, there) = (Scratch::new(), Scratch::new());
    let (vault, other) = (&here.vault, &there.vault);
    let (clinic, ward): (PopulationName, PopulationName) =
        ("clinic".parse().unwrap(), "ward".parse().unwrap());
    let (facility, insurer): (EntityKind, EntityKind) =
        ("facility".parse().unwrap(), "insurer".parse().unwrap());
    let links = [
        vault.unit_linkage(&clinic).link(b"p1"),
        vault.unit_linkage(&ward).link(b"p1"),
        vault.entity_linkage(&clinic, &facility).link(b"p1"),
        vault.entity_linkage(&clinic, &insurer).link(b"p1"),
        vault.entity_linkage(&ward, &facility).link(b"p1"),
        other.unit_linkage(&clinic).link(b"p1"),
        vault.unit_linkage(&clinic).link(b"p2"),
    ];
    let unique: std::collections::BTreeSet<_> = links.iter().collect();
    assert_eq!(unique.len(), links.len());
    assert_eq!(vault.unit_linkage(&clinic).link(b"p1"), links[0]);
}

#[test]
fn a_version_id_confirms_nothing_to_another_home() {
    let (here, there) = (Scratch::new(), Scratch::new());
    let name = |vault: &Vault, pieces: &[&[u8]]| {
        let mut hasher = vault.version_hasher();
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish("liver".parse().unwrap())
    };
    let (vault, other) = (&here.vault, &there.vault);
    assert_eq!(name(vault, &[b"ab", b"c"]), name(vault, &[b"abc"]));
    assert_ne!(name(vault, &[b"abc"]), name(vault, &[b"abd"]));
    assert_ne!(name(vault, &[b"abc"]), name(other, &[b"abc"]));
}

#[test]
fn sealed_texts_keep_purpose_and_context() {
    let vault = Scratch::new().vault;
    let sealed = vault.seal("audit/sql", b"qry_1", b"SELECT 1").unwrap();
    assert_eq!(
        vault
            .open_sealed("audit/sql", b"qry_1", &sealed)
            .unwrap()
            .as_slice(),
        b"SELECT 1"
    );
    assert!(vault.open_sealed("audit/sql", b"qry_2", &sealed).is_err());
    assert!(vault.open_sealed("other", b"qry_1", &sealed).is_err());
}

#[test]
fn draws_have_one_key_that_is_no_other_and_stays() {
    let scratch = Scratch::new();
    let key = scratch.vault.draw_key();
    let clinic = "clinic".parse().unwrap();
    assert_ne!(key.bytes(), scratch.vault.sketch_key(&clinic).bytes());
    assert_ne!(key.bytes(), Scratch::new().vault.draw_key().bytes());
    assert_eq!(
        key.bytes(),
        Vault::open(&scratch.layout).unwrap().draw_key().bytes()
    );
    assert_eq!(format!("{key:?}"), "DrawKey(secret)");
}

#[test]
fn keys_survive_reopening_and_damage_is_refused() {
    let scratch = Scratch::new();
    let (first, layout) = (&scratch.vault, &scratch.layout);
    let signature = first.tokens().sign(b"token");
    let again = Vault::open(layout).unwrap();
    assert!(again.tokens().verify(b"token", &signature));
    assert_eq!(again.tokens().public_key(), first.tokens().public_key());

    fs::set_permissions(layout.vault_key(), Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        Vault::open(layout),
        Err(VaultError::Modes("vault/vault.key"))
    ));
    fs::set_permissions(layout.vault_key(), Permissions::from_mode(0o600)).unwrap();
    fs::write(layout.vault_key(), [0; 31]).unwrap();
    assert!(matches!(
        Vault::open(layout),
        Err(VaultError::KeyFile("vault.key"))
    ));
}
