//! Tests of connection eviction: which connection gives way to which?

use super::*;
use futures_util::FutureExt as _;
use glovebox_policy::{Policy, QuotaSettings};

const LIMITS: PlaceLimits = PlaceLimits {
    all: 4,
    of_address: 3,
};

/// Returns the places in which each subject may have `requests` in flight and follow with 2.
fn places(limits: PlaceLimits, requests: u64) -> Arc<Places> {
    Places::new(limits, quotas(requests))
}

fn quotas(requests: u64) -> Arc<SubjectQuotas> {
    let settings = QuotaSettings::default()
        .with(Quota::Requests, requests, "limits.connections_per_subject")
        .with(Quota::Followers, 2, "limits.followers_per_subject");
    SubjectQuotas::new(Policy::builtin(), settings)
}

fn subject(name: &str) -> Subject {
    Subject::new(name).unwrap()
}

fn enter(places: &Arc<Places>, address: &str) -> Option<Place> {
    match places.enter(address.parse().unwrap()).now_or_never() {
        Some(Entry::In(place)) => Some(place),
        Some(Entry::AddressFull) | None => None,
    }
}

fn here() -> Network {
    Network::of("10.9.0.1".parse().unwrap())
}

fn has_to_leave(place: &Place) -> bool {
    place.0.leave.is_cancelled()
}

#[test]
fn the_silent_go_first_then_the_idle_and_never_who_is_answered() {
    let places = places(LIMITS, 2);
    let [idle, answered, first, second] =
        ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2"].map(|from| enter(&places, from).unwrap());
    idle.0.asked();
    answered.0.asked();
    answered
        .0
        .answers(places.begin(&subject("a"), answered.0.network).unwrap())
        .unwrap();
    let third = enter(&places, "10.0.0.3").unwrap();
    assert!(has_to_leave(&first) && !has_to_leave(&second));
    assert_eq!(
        first
            .0
            .answers(places.begin(&subject("b"), first.0.network).unwrap()),
        Err(NoAnswer::Leaving)
    );
    let _fourth = enter(&places, "10.0.0.4").unwrap();
    assert!(has_to_leave(&second) && !has_to_leave(&idle));
    third.0.asked();
    third
        .0
        .answers(places.begin(&subject("b"), third.0.network).unwrap())
        .unwrap();
    let fifth = enter(&places, "10.0.0.5").unwrap();
    fifth.0.asked();
    fifth
        .0
        .answers(places.begin(&subject("c"), fifth.0.network).unwrap())
        .unwrap();
    let sixth = enter(&places, "10.0.0.6").unwrap();
    assert!(has_to_leave(&idle) && !has_to_leave(&answered) && !has_to_leave(&third));
    sixth.0.asked();
    sixth
        .0
        .answers(places.begin(&subject("d"), sixth.0.network).unwrap())
        .unwrap();
    assert!(
        enter(&places, "10.0.0.7").is_none(),
        "all of them answer somebody"
    );
    // A response that is handed over is not sent yet.
    answered.0.over();
    assert!(enter(&places, "10.0.0.7").is_none());
    answered.0.flushed();
    assert!(enter(&places, "10.0.0.7").is_some() && has_to_leave(&answered));
}

#[test]
fn one_address_has_a_share_and_makes_room_for_itself() {
    let places = places(LIMITS, 2);
    let of_one: Vec<_> = (1..=3)
        .map(|host| enter(&places, &format!("2001:db8::{host}")).unwrap())
        .collect();
    let _fourth = enter(&places, "2001:db8::4").unwrap();
    assert_eq!(
        of_one.iter().map(has_to_leave).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert!(enter(&places, "2001:db8:0:1::1").is_some());
    let own: Vec<_> = (0..3)
        .map(|_| enter(&places, "::ffff:10.0.0.1").unwrap())
        .collect();
    for (place, name) in own.iter().zip(["a", "a", "b"]) {
        place.0.asked();
        place
            .0
            .answers(places.begin(&subject(name), place.0.network).unwrap())
            .unwrap();
    }
    assert!(matches!(
        places.enter("10.0.0.1".parse().unwrap()).now_or_never(),
        Some(Entry::AddressFull)
    ));
    drop((own, of_one));
    assert!(enter(&places, "10.0.0.1").is_some());
}

#[test]
fn closed_connections_leave_no_entry() {
    let places = places(LIMITS, 2);
    for _ in 0..100 {
        let held: Vec<_> = (0..7)
            .filter_map(|host| enter(&places, &format!("10.0.0.{host}")))
            .collect();
        for place in &held {
            place.0.asked();
            let _ = places
                .begin(&subject("a"), place.0.network)
                .and_then(|under_way| place.0.answers(under_way));
        }
    }
    let state = lock(&places.state);
    assert!(
        state.connections.is_empty() && state.of_address.is_empty() && state.of_subject.is_empty()
    );
    assert_eq!(state.leaving, 0);
}

#[test]
fn a_subject_has_a_share_of_requests_and_of_followers() {
    let places = places(LIMITS, 2);
    let held: Vec<_> = (0..2)
        .map(|_| places.begin(&subject("a"), here()).unwrap())
        .collect();
    assert!(matches!(
        places.begin(&subject("a"), here()).unwrap_err(),
        NoAnswer::SubjectFull(2, denial) if denial.rule == "limits.connections_per_subject"
    ));
    assert!(places.begin(&subject("b"), here()).is_ok());
    drop(held);
    assert!(places.begin(&subject("a"), here()).is_ok());
    let followers = Followers::new(3, quotas(2));
    let own: Vec<_> = (0..2)
        .map(|_| followers.permit(&subject("a")).unwrap())
        .collect();
    assert!(matches!(
        followers.permit(&subject("a")).unwrap_err(),
        NoFollower::Subject(2, denial) if denial.rule == "limits.followers_per_subject"
    ));
    let other = followers.permit(&subject("b")).unwrap();
    assert_eq!(
        followers.permit(&subject("c")).unwrap_err(),
        NoFollower::All(3)
    );
    drop((own, other));
    assert!(followers.permit(&subject("a")).is_ok());
}

#[test]
fn a_subject_leaves_places_at_its_address_to_others() {
    let places = places(
        PlaceLimits {
            all: 1000,
            of_address: 32,
        },
        500,
    );
    let take = |name: &str, number: usize| {
        (0..number)
            .map(|_| places.begin(&subject(name), here()).unwrap())
            .collect::<Vec<_>>()
    };
    let held = take("a", 16);
    assert_eq!(
        places.begin(&subject("a"), here()).unwrap_err(),
        NoAnswer::SubjectFullAtAddress(16)
    );
    let others = take("b", 14);
    assert_eq!(
        places.begin(&subject("c"), here()).unwrap_err(),
        NoAnswer::AddressFull(30)
    );
    let elsewhere = Network::of("10.9.0.2".parse().unwrap());
    assert!(
        places.begin(&subject("a"), elsewhere).is_ok()
            && places.begin(&subject("c"), elsewhere).is_ok()
    );
    drop((held, others));
    let state = lock(&places.state);
    assert!(state.under_way_at.is_empty() && state.of_subject.is_empty() && state.under_way == 0);
}

#[test]
fn subjects_together_leave_places_for_new_connections() {
    let places = places(
        PlaceLimits {
            all: 32,
            of_address: 32,
        },
        16,
    );
    let mut held = Vec::new();
    for number in 0..32 {
        let place = enter(&places, "10.0.0.1").unwrap();
        place.0.asked();
        let begun = places
            .begin(&subject(if number % 2 == 0 { "a" } else { "b" }), here())
            .and_then(|under_way| place.0.answers(under_way));
        assert_eq!(
            begun,
            if number < 30 {
                Ok(())
            } else {
                Err(NoAnswer::Full(30))
            }
        );
        held.push(place);
    }
    let other = enter(&places, "10.0.0.2").unwrap();
    assert!(has_to_leave(&held[30]) && !held[..30].iter().any(has_to_leave));
    held.truncate(29);
    other.0.asked();
    other
        .0
        .answers(places.begin(&subject("c"), other.0.network).unwrap())
        .unwrap();
    drop((held, other));
    assert_eq!(lock(&places.state).under_way, 0);
}
