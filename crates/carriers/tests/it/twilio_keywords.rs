//! Which texts Twilio has answered itself.

use carriers::{
    KeywordGroup,
    twilio::{
        answered_by_carrier,
        webhook::{InboundMessage, OptOutType},
    },
};

fn text(body: &str, opt_out_type: Option<OptOutType>) -> InboundMessage {
    InboundMessage {
        sid: "SM1".to_owned(),
        account_sid: None,
        messaging_service_sid: None,
        from: "+1".to_owned(),
        to: "+2".to_owned(),
        body: body.to_owned(),
        num_media: 0,
        media: Vec::new(),
        num_segments: None,
        opt_out_type,
    }
}

#[test]
fn twilio_answers_a_keyword_alone_in_any_case() {
    let cases = [
        (
            KeywordGroup::OptOut,
            &[
                "STOP",
                "stop",
                " Stop \n",
                "STOPALL",
                "unsubscribe",
                "Cancel",
                "end",
                "quit",
                "revoke",
                "OptOut",
            ][..],
        ),
        (KeywordGroup::OptIn, &["START", "unstop", "Yes"]),
        (KeywordGroup::Help, &["HELP", "info "]),
    ];

    for (group, bodies) in cases {
        for body in bodies {
            assert_eq!(answered_by_carrier(&text(body, None)), Some(group), "{body}");
        }
    }
}

#[test]
fn twilio_does_not_answer_anything_longer_or_in_another_language() {
    for body in ["STOP PLEASE", "stop.", "ALTO", "please stop", "", "STOP ALL", "s t o p"] {
        assert_eq!(answered_by_carrier(&text(body, None)), None, "{body}");
    }
}

#[test]
fn advanced_opt_out_says_itself_what_it_answered() {
    for (kind, group) in [
        (OptOutType::Stop, KeywordGroup::OptOut),
        (OptOutType::Start, KeywordGroup::OptIn),
        (OptOutType::Help, KeywordGroup::Help),
    ] {
        assert_eq!(answered_by_carrier(&text("ALTO", Some(kind))), Some(group));
    }
}
