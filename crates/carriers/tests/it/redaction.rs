//! Nothing that holds a text, a number or a secret shows it in `Debug`.

use std::fmt::Debug;

use carriers::{
    CarrierReply, anthropic,
    twilio::webhook::{parse_inbound, parse_status},
};
use domain::assistant::{AssistantSettings, Turn, TurnSpeaker};
use secrecy::SecretString;

use crate::play::{Break, Breaker, Played, Server, secret, text, twilio};

/// Parts of every secret, number and text that these tests use.
const PRIVATE: [&str; 8] =
    ["415555", "500555", "Señor", "token1", "sk-ant", "dG9rZW4x", "confide", "instruct"];

fn assert_silent(label: &str, value: &dyn Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        for private in PRIVATE {
            assert!(!shown.contains(private), "{label} shows {private}: {shown}");
        }
    }
}

#[test]
fn the_check_itself_sees_a_leak() {
    let leak = std::panic::catch_unwind(|| assert_silent("leak", &"+14155550100"));
    assert!(leak.is_err());
}

#[tokio::test]
async fn twilio_values_hide_texts_numbers_and_secrets() {
    let record = r#"{"sid":"SM1","status":"sent","to":"+14155550100","from":"+15005550006",
        "body":"Señor","date_created":null,"date_sent":null}"#;
    let server = Server::playing([Played::new(200, record)]).await;
    let client = twilio(&server.url);
    assert_silent("client", &client);
    assert_silent("outbound", &text());
    let fetched = client.fetch("SM1").await.expect("read").expect("there");
    assert_eq!(fetched.body, "Señor");
    assert_silent("record", &fetched);
    let numbers = "MessageSid=SM1&From=%2B14155550100&To=%2B15005550006";
    let inbound = parse_inbound(format!("{numbers}&Body=Se%C3%B1or").as_bytes()).expect("read");
    assert_eq!(inbound.from, "+14155550100");
    assert_silent("inbound", &inbound);
    let status = parse_status(format!("{numbers}&MessageStatus=sent").as_bytes()).expect("read");
    assert_eq!(status.to.as_deref(), Some("+15005550006"));
    assert_silent("status", &status);
}

#[tokio::test]
async fn answers_and_errors_hold_nothing_of_the_request() {
    let echo = r#"{"code":21211,"message":"The 'To' number +14155550100 is not valid: Señor",
        "more_info":"x","status":400}"#;
    let server = Server::playing([Played::new(400, echo)]).await;
    let answer = twilio(&server.url).send(&text()).await;
    assert!(matches!(answer, CarrierReply::Refused { code: 21211, .. }));
    assert_silent("refused", &answer);
    let breaker = Breaker::that(Break::Reset).await;
    let broken = twilio(&format!("http://{}", breaker.address));
    assert_silent("unknown", &broken.send(&text()).await);
    assert_silent("read error", &broken.fetch("SM1").await);
}

#[tokio::test]
async fn model_values_hide_the_conversation_and_the_key() {
    let key: SecretString = secret("sk-ant-1");
    let body = r#"{"content":[{"type":"tool_use","name":"answer",
        "input":{"reply":"confidential"}}],
        "stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let error =
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"confidential"}}"#;
    let server = Server::playing([Played::new(200, body), Played::new(400, error)]).await;
    let http = carriers::http::client().expect("TLS is set up");
    let client = anthropic::Client::new(http, &server.url, &key).expect("settings");
    assert_silent("client", &client);

    let settings = AssistantSettings { knowledge: "instructions".into(), ..Default::default() };
    let turns = [Turn { speaker: TurnSpeaker::Person, text: "confidential".into() }];
    let question = anthropic::AssistantQuestion {
        settings: &settings,
        company: "Acme",
        turns: &turns,
        model: "m",
    };
    assert_silent("turns", &question.turns);

    let answer = client.consult(question, None).await.answer.expect("a message");
    assert_eq!(answer.expect("an answer")["reply"], "confidential");
    let error = client.consult(question, None).await.answer.expect_err("a refusal");
    assert_silent("error", &error);
    assert_silent("error in words", &error.to_string());
}
