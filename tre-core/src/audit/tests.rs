#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
use super::*;

fn refused() -> Event {
    Event::ControlRefused {
        call: "ProjectApply".to_owned(),
        code: "TRE-AUTH-003".to_owned(),
    }
}

#[test]
fn an_entry_has_what_ocsf_requires() {
    let now: Timestamp = "2026-03-01T12:00:00.5Z".parse().unwrap();
    let entry = Entry::new(7, now, "0.1.0", Actor::user("alice".parse().unwrap()), refused());
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["class_uid"], 6003);
    assert_eq!(json["category_uid"], 6);
    assert_eq!(json["type_uid"], 600_399);
    assert_eq!(json["status_id"], 2);
    assert_eq!(json["time"], 1_772_366_400_500_i64);
    assert_eq!(json["metadata"]["sequence"], 7);
    assert_eq!(json["actor"]["user"]["name"], "alice");
    assert_eq!(json["tre"]["what"]["event"], "control_refused");
    assert_eq!(serde_json::from_value::<Entry>(json).unwrap(), entry);
}

#[test]
fn an_event_with_an_unknown_key_or_kind_is_refused() {
    let mut json = serde_json::to_value(refused()).unwrap();
    assert_eq!(serde_json::from_value::<Event>(json.clone()).unwrap(), refused());
    json["extra"] = 1.into();
    assert!(serde_json::from_value::<Event>(json).is_err());
    assert!(serde_json::from_str::<Event>(r#"{"event":"anything"}"#).is_err());
}

#[test]
fn the_system_has_a_valid_name() {
    assert!(Actor::SYSTEM.parse::<UserName>().is_ok());
}
