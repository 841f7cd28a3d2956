//! Listing messages: filters and paging.

use serde_json::{Value, json};

use crate::support::{PHONE, World, now};

fn bodies(list: &Value) -> Vec<&str> {
    let messages = list["messages"].as_array().unwrap();
    messages.iter().map(|message| message["body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat_while_new_texts_come() {
    let world = World::new().await;
    for n in 0..5 {
        world.send(PHONE, &format!("text {n}"), &n.to_string()).await;
    }
    let first = world.get("Messages.json?PageSize=2").await.body;

    assert_eq!(bodies(&first), ["text 4", "text 3"]);

    let mut keys: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let envelope = [
        "end",
        "first_page_uri",
        "messages",
        "next_page_uri",
        "page",
        "page_size",
        "previous_page_uri",
        "start",
        "uri",
    ];
    assert_eq!(keys, envelope);

    world.send(PHONE, "text 5", "5").await;
    let mut found = Vec::new();
    let mut next = first["next_page_uri"].as_str().map(str::to_owned);
    while let Some(uri) = next {
        assert!(uri.starts_with("/2010-04-01/Accounts/AC"), "{uri}");
        let path = uri.splitn(5, '/').nth(4).unwrap().to_owned();
        let page = world.get(&path).await.body;
        assert!(found.len() < 10, "paging goes in a circle");
        found.extend(bodies(&page).into_iter().map(str::to_owned));
        next = page["next_page_uri"].as_str().map(str::to_owned);
    }

    assert_eq!(found, ["text 2", "text 1", "text 0"]);
}

#[tokio::test]
async fn filters_find_texts_by_recipient_sender_and_date() {
    let world = World::new().await;
    world.send(PHONE, "one", "1").await;
    world.send("+14155550101", "two", "2").await;
    world.rest().await;
    let all = world.get("Messages.json").await.body;
    let day = |n: usize| {
        let date = all["messages"][n]["date_sent"].as_str().unwrap();
        let date = jiff::fmt::rfc2822::parse(date).unwrap();
        date.strftime("%Y-%m-%d").to_string()
    };

    // Midnight may have come between the two texts.
    let today = day(1);
    let of_today = if day(0) == today { vec!["two", "one"] } else { vec!["one"] };
    let hour_ago = (now() - jiff::SignedDuration::from_hours(1)).to_string();
    let both = vec!["two", "one"];
    for (query, expected) in [
        ("To=%2B14155550100".to_owned(), vec!["one"]),
        ("From=%2B15005550006".into(), both.clone()),
        ("From=%2B15005550007".into(), vec![]),
        ("To=nonsense".into(), vec![]),
        (format!("DateSent={today}"), of_today.clone()),
        (format!("DateSent={today}T00:00:00Z"), of_today.clone()),
        (format!("DateSent={today}T23%3A59%3A59Z"), of_today),
        ("DateSent=2020-02-29".into(), vec![]),
        ("DateSent=2020-02-29T10:00:00Z".into(), vec![]),
        (format!("DateSent%3E={hour_ago}"), both.clone()),
        (format!("DateSent%3C={hour_ago}"), vec![]),
        (format!("DateSent>={today}&To=%2B14155550101"), vec!["two"]),
    ] {
        let list = world.get(&format!("Messages.json?{query}")).await;
        assert_eq!((list.status, bodies(&list.body)), (200, expected), "{query}");
    }
    world.get("Messages.json?DateSent=nonsense").await.refused(400, 20001);
}

#[tokio::test]
async fn the_list_may_lag_behind_while_fetch_does_not() {
    let world = World::new().await;
    world.faults(json!({ "list_lag_ms": 60_000 })).await;
    let sid = world.send(PHONE, "hi", "m1").await.sid();
    assert_eq!(bodies(&world.get("Messages.json").await.body), [] as [&str; 0]);
    assert_eq!(world.get(&format!("Messages/{sid}.json")).await.status, 200);
    world.faults(json!({ "list_lag_ms": 0 })).await;
    assert_eq!(bodies(&world.get("Messages.json").await.body), ["hi"]);
}
